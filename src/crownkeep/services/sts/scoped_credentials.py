"""GetScopedCredentials: a session hands on less than it may do itself, or for a shorter while, and stays who it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from crownkeep import errors
from crownkeep.domain.credentials import issue
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import EVERYTHING, Effect, Mode, Permission, Target
from crownkeep.principals import Session
from crownkeep.services.sts import endpoints, session_policies
from crownkeep.services.sts.service import sts

_MOST_SCOPES = 3
"""Scope-down policies that one session may have."""


def calling_session(call: Call, **_: object) -> Target:
    """Everything; refused to long-term keys, and on the global endpoint."""
    endpoints.refuse_global(call, "GetScopedCredentials")
    _session(call)
    return EVERYTHING


@sts.operation(
    "GetScopedCredentials",
    resource=calling_session,
    mode=Mode.READ,
    effect=Effect.STATE,
    permission=Permission.UNLESS_DENIED,
)
def get_scoped_credentials(
    call: Call,
    *,
    policy: str | None = None,
    duration_seconds: int | None = None,
    minimum_session_token_size: int | None = None,
    scoped_session_description: str | None = None,
) -> Result:
    """Issue credentials of the calling session that are limited further (API_GetScopedCredentials).

    The description is for the record, which holds it among the parameters. When the session was issued stays what it was, so that
    a policy that voids sessions by aws:TokenIssueTime voids these too.
    """
    if policy is None and duration_seconds is None:
        raise errors.ValidationError("At least one of Policy or DurationSeconds must be specified.")
    session = _session(call)
    narrowed = replace(
        session,
        expires_at=_expiry(call, session, duration_seconds),
        scopes=session.scopes if policy is None else _scopes(call, session, policy),
        is_scoped=True,
    )
    issued = issue.credentials(call, call.principal, narrowed, minimum_token_size=minimum_session_token_size or 0)
    answered: dict[str, object] = {
        "Credentials": issued,
        "SessionInfo": {"ScopedSessionId": call.principal.user_id, "Arn": call.principal.arn},
        "ScopedPoliciesCount": len(narrowed.scopes),
        **issue.token_members(issued),
    }
    if session.source_identity:
        answered["SourceIdentity"] = session.source_identity
    return answered


def _session(call: Call) -> Session:
    session = call.principal.session
    if session is None:
        raise errors.AccessDenied("Cannot call GetScopedCredentials without session credentials")
    return session


def _expiry(call: Call, session: Session, seconds: int | None) -> datetime:
    """Return when the new credentials end; raises InsufficientSessionLifetime for later than the calling session does."""
    if seconds is None:
        return session.expires_at
    ends = call.now + timedelta(seconds=seconds)
    if ends > session.expires_at:
        raise errors.InsufficientSessionLifetime(
            "The requested DurationSeconds exceeds the remaining lifetime of the calling session."
        )
    return ends


def _scopes(call: Call, session: Session, document: str) -> tuple[str, ...]:
    if len(session.scopes) >= _MOST_SCOPES:
        raise errors.AccessDenied(f"A session can have at most {_MOST_SCOPES} scope-down policies.")
    return (*session.scopes, *session_policies.read(call, call.account_id, document=document, descriptors=()).documents)
