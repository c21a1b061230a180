"""Credential audits: snapshots of credentials and what was decided of them."""
