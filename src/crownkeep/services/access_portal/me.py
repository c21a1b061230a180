"""The person who calls, in the browser session that they signed in with."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import errors
from crownkeep.domain.single_sign_on import access
from crownkeep.domain.single_sign_on.access import SignedIn
from crownkeep.operations.call import Binding, Call
from crownkeep.principals import PrincipalKind
from crownkeep.signin import sessions


@dataclass(frozen=True, slots=True)
class Me:
    """Who calls, and the browser session."""

    signed_in: SignedIn
    session_id: str
    binding: Binding


def required(call: Call) -> Me:
    """Return the person who calls; raises AccessDenied for everybody else, whatever policies say."""
    person, session_id = call.principal, sessions.id_of(call.principal)
    if person.kind is not PrincipalKind.PERSON or call.binding is None or session_id is None or person.session is None:
        raise errors.AccessDenied("The access portal is for people of single sign-on, in the browser that they signed in with.")
    sign_in = f"{access.SESSION}{session_id}"
    signed_in = access.person_behind(call, person, sign_in=sign_in, until=person.session.expires_at)
    if signed_in is None:
        raise errors.AccessDenied("There is no such person any more.")
    return Me(signed_in, session_id, call.binding)
