"""ARNs of approval: teams, identity sources and sessions, which AWS keeps in one Region for all."""

from __future__ import annotations

from crownkeep import arn

REGION = arn.GLOBAL_REGION
"""Where AWS runs multi-party approval."""


def team(account_id: str, team_id: str) -> str:
    """Return a team's ARN."""
    return f"{prefix(account_id)}approval-team/{team_id}"


def identity_source(account_id: str, source_id: str) -> str:
    """Return an identity source's ARN."""
    return f"{prefix(account_id)}identity-source/{source_id}"


def session(account_id: str, team_id: str, session_id: str) -> str:
    """Return a session's ARN."""
    return f"{prefix(account_id)}session/{team_id}/{session_id}"


def prefix(account_id: str) -> str:
    """Return what the ARNs of everything of an account begin with."""
    return f"arn:aws:mpa:{REGION}:{account_id}:"
