"""The account as IAM sees it: its alias, summary, settings and central root access."""
