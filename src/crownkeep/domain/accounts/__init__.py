"""Accounts: made, joined to organizations, closed."""
