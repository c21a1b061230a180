"""Credentials: what identities and root sign in or sign requests with, every secret sealed or hashed."""
