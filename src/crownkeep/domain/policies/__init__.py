"""Policies: whom they may name."""
