"""Second factors on pages: what a form brings, what a browser is asked, and what is said of a failure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.requests import Request

from crownkeep import untrusted_json
from crownkeep.console.kit import entering, web
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.forms import Form, MalformedForm
from crownkeep.credentials import webauthn
from crownkeep.credentials.secret import Secret
from crownkeep.principals import Principal
from crownkeep.signin import entry, factors, pending
from crownkeep.signin.factors import Answer, Code, PasskeyAnswer, RecoveryCode, Rejected, Rejection
from crownkeep.signin.pending import Pending
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext, gettext_noop
from crownkeep.untrusted_json import UnreadableJson

_TOO_MANY = gettext_noop("This device was tried too often. Wait a quarter of an hour, then use a fresh code.")
_UNREADABLE = gettext_noop(
    "The server can't read this device's secret. That is no fault of yours: use another device, or tell its operator."
)


def answer_in(request: Request, form: Form) -> Answer:
    """Read the factor that a form brings; raises MalformedForm where it brings none."""
    if "credential" in form:
        party = entering.party(request)
        if party is None:
            raise MalformedForm(gettext("passkeys can't be used at an IP address"))
        return PasskeyAnswer(credential_in(form), party)
    if "recovery" in form:
        return RecoveryCode(Secret(form.one("recovery")))
    return Code(form.one("serial"), form.one("code"))


def credential_in(form: Form) -> Mapping[str, object]:
    """Read a browser's WebAuthn answer; raises MalformedForm."""
    try:
        answer = untrusted_json.read(form.one("credential"))
    except UnreadableJson as error:
        raise MalformedForm(gettext("the browser's answer can't be read")) from error
    if not isinstance(answer, dict):
        raise MalformedForm(gettext("the browser's answer can't be read"))
    return answer


def message_of(rejected: Rejected) -> str:
    """Return what a person is told of a factor that was not accepted."""
    match rejected.reason:
        case Rejection.TOO_MANY:
            return gettext(_TOO_MANY)
        case Rejection.UNREADABLE:
            return gettext(_UNREADABLE)
        case _:
            return gettext(entry.INCORRECT)


def keep(request: Request, begun: Pending) -> None:
    """Keep what was put to whoever is signed in, for the next page."""
    here = web.of(request)
    # Strict, as in `entering.keep`: a link on another site must not find somebody in the middle of enrolling a device.
    here.set_cookie(Cookie.FLOW, pending.seal(here.door.wiring.keyring, begun), lasts=pending.LASTS, same_site="Strict")


def kept(request: Request, session: BrowserSession) -> Pending | None:
    """Return what was put to a session's person; None where that was in another session, or too long ago."""
    here = web.of(request)
    return pending.unseal(here.door.wiring.keyring, here.cookie(Cookie.FLOW), session, now=here.now)


def factor_options(request: Request, person: Principal, challenge: bytes) -> str | None:
    """Return what the browser asks a person's passkeys, as JSON; None where they have none that can be used here."""
    party, here = entering.party(request), web.of(request)
    # At an IP address no browser can answer, so that nobody is asked.
    keys = factors.passkeys_to_ask(here.door, person)
    if party is None or not keys:
        return None
    return json.dumps(webauthn.request_options(party, challenge=challenge, passkeys=keys))
