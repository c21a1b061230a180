"""Credential audits: an account's own review of every credential it has. No AWS service, but served through the same door."""
