"""Identities: users, groups and roles, who belongs to what, and their tags."""
