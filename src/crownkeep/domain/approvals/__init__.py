"""Approval by teams: who custodians are, what teams are made of, and the sessions in which they decide."""
