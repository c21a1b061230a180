"""Policies: managed and inline, their versions, who holds them, and what they would decide."""
