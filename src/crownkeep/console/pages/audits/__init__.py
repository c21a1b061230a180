"""Credential audits."""
