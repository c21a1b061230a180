"""Approvals: invitations to teams, requests, and what custodians decide, beyond what AWS's model has."""
