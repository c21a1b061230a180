"""People let in and kept out by an administrator: disabled, enabled, and their sessions listed and ended."""

from __future__ import annotations

from crownkeep.domain.single_sign_on import directory
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.services.sso_directory.targets import DirectoryPerson
from crownkeep.signin import sessions
from crownkeep.signin.sessions import BrowserSession
from crownkeep.storage.sign_in import browser_sessions


@sso_directory.operation("DisableUser", resource=targets.user, effect=Effect.STATE)
def disable_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """Let a person sign in no more, and end whatever they have open: the next call with any of it fails."""
    found = targets.changeable(call)
    if found.user.is_active:
        directory.change_user(call, found.user, directory.held(found.user), by=call.principal.arn, is_active=False)
    _end(call, found)
    return NOTHING


@sso_directory.operation("EnableUser", resource=targets.user, effect=Effect.STATE)
def enable_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """Let a person sign in again; nothing that was open before comes back."""
    found = targets.changeable(call)
    # Before they are let in again: what was open when they were disabled must not come back to life.
    _end(call, found)
    if not found.user.is_active:
        directory.change_user(call, found.user, directory.held(found.user), by=call.principal.arn, is_active=True)
    return NOTHING


@sso_directory.operation("ListSessionsForUser", resource=targets.user, action="identitystore-auth:ListSessions")
def list_sessions_for_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """List where a person is signed in, the latest used first."""
    found = targets.required(call)
    return {"Sessions": [_describe(each) for each in sessions.of_person(call.db, call.wiring, found.person, now=call.now)]}


@sso_directory.operation(
    "DeleteSessionsForUser", resource=targets.user, action="identitystore-auth:BatchDeleteSession", effect=Effect.STATE
)
def delete_sessions_for_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """End every session of a person, with the roles that were taken in it and the programs that were allowed in it."""
    ended = _end(call, targets.changeable(call))
    call.notes.additional["EndedSessions"] = ended
    return {"EndedSessions": ended}


def _end(call: Call, found: DirectoryPerson) -> int:
    person = found.person
    return browser_sessions.end_others(call.db, person.account_id, person.unique_id, but=b"", at=call.now)


def _describe(session: BrowserSession) -> dict[str, object]:
    return {
        "SessionId": session.session_id,
        "CreatedAt": session.created_at,
        "LastSeenAt": session.last_seen_at,
        "ExpiresAt": session.expires_at,
        "SourceIPAddress": session.address,
        "UserAgent": session.user_agent,
    }
