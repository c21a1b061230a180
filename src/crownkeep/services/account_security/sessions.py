"""Browser sessions of one's own: listed and ended, from the browser that one of them is in.

Signing out is no operation: nobody needs a permission to leave, and no policy can keep a session open.
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission, sign_in_event
from crownkeep.principals import PrincipalKind
from crownkeep.services.account_security import myself
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import sessions
from crownkeep.signin.sessions import BrowserSession
from crownkeep.storage.sign_in import browser_sessions


@account_security.operation("ListSessions", resource=myself.myself, permission=Permission.UNLESS_DENIED)
def list_sessions(call: Call) -> Result:
    """List the caller's sessions that hold, the latest used first."""
    this = _this(call)
    return {"Sessions": [_describe(each, is_this=each.session_id == this) for each in _own(call)]}


@account_security.operation(
    "EndSession",
    resource=myself.myself,
    effect=Effect.STATE,
    permission=Permission.UNLESS_DENIED,
    recorded_as=sign_in_event("EndSession"),
)
def end_session(call: Call, *, session_id: str) -> Result:
    """End one of the caller's sessions, this one or another; raises ResourceNotFound for any that is not theirs."""
    _this(call)
    # Looked for among the caller's own: another person's session is answered as one that isn't there.
    ending = next((each for each in _own(call) if each.session_id == session_id), None)
    if ending is None:
        raise errors.ResourceNotFound("You have no such session.")
    browser_sessions.end(call.db, ending.digest, at=call.now)
    myself.note(call)
    return NOTHING


@account_security.operation(
    "EndOtherSessions",
    resource=myself.myself,
    effect=Effect.STATE,
    permission=Permission.UNLESS_DENIED,
    recorded_as=sign_in_event("EndOtherSessions"),
)
def end_other_sessions(call: Call) -> Result:
    """End every session of the caller but the one that calls; the record says how many there were."""
    this = _this(call)
    others = [each for each in _own(call) if each.session_id != this]
    for each in others:
        browser_sessions.end(call.db, each.digest, at=call.now)
    if call.principal.kind is PrincipalKind.PERSON and call.binding is not None:
        # A session that nobody has used for a while isn't listed, but programs that were allowed in it go on: it ends, too.
        person = call.principal
        browser_sessions.end_others(call.db, person.account_id, person.unique_id, but=call.binding.session_digest, at=call.now)
    call.notes.additional["EndedSessions"] = len(others)
    myself.note(call)
    return {"EndedSessions": len(others)}


def _this(call: Call) -> str:
    """Return the name of the session that calls; raises AccessDenied where somebody signed the call.

    Everybody may do this for themselves, so that a stolen key would tell where its owner is signed in, and sign them out.
    """
    this = sessions.id_of(call.principal)
    if call.binding is None or this is None:
        raise errors.AccessDenied("Sessions are listed and ended in the console, by whoever is signed in there.")
    return this


def _own(call: Call) -> list[BrowserSession]:
    return sessions.of_person(call.db, call.wiring, call.principal, now=call.now)


def _describe(session: BrowserSession, *, is_this: bool) -> dict[str, object]:
    return {
        "SessionId": session.session_id,
        "CreatedAt": session.created_at,
        "LastSeenAt": session.last_seen_at,
        "ExpiresAt": session.expires_at,
        "SourceIPAddress": session.address,
        "UserAgent": session.user_agent,
        "IsCurrent": is_this,
    }
