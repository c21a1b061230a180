"""Identities: roles that services have made for them."""
