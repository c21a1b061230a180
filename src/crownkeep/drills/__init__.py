"""Drills: the ways back into an account, rehearsed on a copy of its state; the installation itself is not touched."""
