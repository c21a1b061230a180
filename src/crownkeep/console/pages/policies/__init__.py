"""Policies: shown and written."""
