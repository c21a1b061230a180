"""The organization: its units, accounts and policies, invitations, and central root access."""
