"""My security: the devices, recovery codes, password and sessions of a person of single sign-on, in the access portal."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import clock
from crownkeep.console.kit import destinations, entering, parts, second_factors, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.web import ProofNeeded, SignInNeeded
from crownkeep.credentials import password_policy
from crownkeep.errors import AwsError
from crownkeep.signin import enrolment, external_requests, pending, recovery_codes
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext, gettext_noop

_SERVICE = "sso-directory"
_SESSIONS = Equivalent("account-security", "ListSessions")
_CODES = Equivalent("account-security", "CreateRecoveryCodes")
_NOT_ACCEPTED = gettext_noop("The passkey was not accepted. Try again, or use another.")


async def security(request: Request) -> Response:
    """Show what a person signs in with, and where they are signed in."""
    return await _security_page(request, _mine(request))


async def device_changed(request: Request) -> Response:
    """Call a device by another name, or take it away against a fresh proof."""
    session, form = _mine(request), web.form(request)
    named = {**enrolment.of_person(session.person), "DeviceId": form.one("device")}
    if "remove" in form:
        _require_proof(request, session)
        wanted = Equivalent(_SERVICE, "DeleteMfaDeviceForUser", named)
    else:
        wanted = Equivalent(_SERVICE, "UpdateMfaDeviceForUser", {**named, "DeviceName": form.one("name").strip()})
    _, outcome = await parts.obtain(request, wanted, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return await _security_page(request, session, refusal=outcome.refused)
    return web.go(f"{_start(request)}/security")


async def add(request: Request) -> Response:
    """Ask which kind of device to register."""
    session = _mine(request)
    _require_proof(request, session)
    return _add_page(request, session)


async def added(request: Request) -> Response:
    """Register a passkey, or begin with an authenticator app."""
    session, form, here = _mine(request), web.form(request), web.of(request)
    _require_proof(request, session)
    try:
        if "credential" in form:
            await _register_passkey(request, session)
            return web.go(f"{_start(request)}/security")
        enrolling = await enrolment.new_virtual_device(here.door, web.as_person(request, session), form.one("name").strip())
    except AwsError as error:
        return _add_page(request, session, alert=gettext(_NOT_ACCEPTED) if "credential" in form else error.message)
    second_factors.keep(request, pending.enrol(session, enrolling, now=here.now))
    return web.go(f"{_start(request)}/app")


async def app(request: Request) -> Response:
    """Show the QR code of the app that is being registered."""
    return _app_page(request, _mine(request))


async def app_codes(request: Request) -> Response:
    """Take two consecutive codes of the app."""
    session, form, here = _mine(request), web.form(request), web.of(request)
    _require_proof(request, session)
    begun = second_factors.kept(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(f"{_start(request)}/devices")
    actor = web.as_person(request, session)
    try:
        await enrolment.enable(here.door, actor, begun.enrolling, code1=form.one("code1"), code2=form.one("code2"))
    except AwsError as error:
        return _app_page(request, session, alert=error.message)
    here.drop_cookie(Cookie.FLOW)
    return web.go(f"{_start(request)}/security")


async def codes(request: Request) -> Response:
    """Offer recovery codes."""
    return _codes_page(request, _mine(request), to=destinations.ours(request.query_params.get("to", "")))


async def codes_made(request: Request) -> Response:
    """Make recovery codes and show them this once, or remember that they are not wanted."""
    session, here, to = _mine(request), web.of(request), destinations.ours(web.form(request).one("to"))
    if "decline" in web.form(request):
        await recovery_codes.decline(here.door, session.person, origin=here.origin, now=here.now)
        return web.go(to)
    _require_proof(request, session)
    found, outcome = await parts.obtain(request, _CODES, actor=web.as_person(request, session))
    if outcome.refused is not None:
        return _codes_page(request, session, to=to, refusal=outcome.refused)
    return _codes_page(request, session, to=to, codes=found["RecoveryCodes"])


async def password(request: Request) -> Response:
    """Ask for the present password and a new one."""
    return _password_page(request, _mine(request))


async def password_changed(request: Request) -> Response:
    """Change the person's password; their other sessions end."""
    session, form, here = _mine(request), web.form(request), web.of(request)

    def again(alert: str) -> Response:
        return _password_page(request, session, status=403, alert=alert)

    if form.one("new") != form.one("again"):
        return again(gettext("The two new passwords are not the same."))
    try:
        await enrolment.change_password(here.door, web.as_person(request, session), old=form.one("old"), new=form.one("new"))
    except AwsError as refusal:
        return again(refusal.message)
    return web.go(f"{_start(request)}/security")


def _password_page(request: Request, session: BrowserSession, *, status: int = 200, alert: str = "") -> Response:
    rules = password_policy.person_rules()
    return _page(request, "person_change_password.html", session, status=status, alert=alert, rules=rules)


async def _register_passkey(request: Request, session: BrowserSession) -> None:
    form, here, party = web.form(request), web.of(request), entering.party(request)
    begun = second_factors.kept(request, session)
    if party is None or begun is None or not await pending.spend(here.door, begun):
        raise MalformedForm(gettext("the registration has expired: go back and begin again"))
    parameters = enrolment.with_passkey(
        session.person,
        name=form.one("name").strip(),
        answer=second_factors.credential_in(form),
        challenge=begun.challenge,
        party=party,
    )
    await enrolment.register_passkey(here.door, web.as_person(request, session), parameters)


async def _security_page(request: Request, session: BrowserSession, *, refusal: Refused | None = None) -> Response:
    actor = web.as_person(request, session)
    listing = Equivalent(_SERVICE, "ListMfaDevicesForUser", enrolment.of_person(session.person))
    found, _ = await parts.obtain(request, listing, actor=actor)
    listed, _ = await parts.obtain(request, _SESSIONS, actor=actor)
    provider = external_requests.provider_at(web.of(request).door, session.person.path.strip("/"))
    return _page(
        request,
        "person_security.html",
        session,
        status=200 if refusal is None else 403,
        refusal=refusal,
        provider=None if provider is None else provider.name,
        devices=found.get("MfaDevices", ()),
        codes_left=found.get("RecoveryCodesLeft", 0),
        most_devices=enrolment.most_devices(web.of(request).door, session.person),
        sessions=listed.get("Sessions", ()),
    )


def _add_page(request: Request, session: BrowserSession, *, alert: str = "") -> Response:
    here, party, options = web.of(request), entering.party(request), None
    if party is not None:
        begun = pending.begin(session, now=here.now, chance=clock.token_bytes(pending.CHANCE))
        second_factors.keep(request, begun)
        built = enrolment.registration_options(here.door, session.person, party, begun.challenge, shown_name=session.person.name)
        options = json.dumps(built)
    return _page(
        request,
        "person_add_device.html",
        session,
        status=403 if alert else 200,
        alert=alert,
        name=f"{session.person.name}-{here.now:%Y%m%d}",
        enrol_action=f"{_start(request)}/devices",
        passkey_options=options,
        passkey_address=entering.passkey_address(request),
    )


def _app_page(request: Request, session: BrowserSession, *, alert: str = "") -> Response:
    begun = second_factors.kept(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(f"{_start(request)}/devices")
    return _page(
        request,
        "person_add_app.html",
        session,
        status=403 if alert else 200,
        alert=alert,
        action=f"{_start(request)}/app",
        back=f"{_start(request)}/devices",
        enrolling=begun.enrolling,
        qr=enrolment.qr_svg(session.person, begun.enrolling),
    )


def _codes_page(
    request: Request, session: BrowserSession, *, to: str, codes: Sequence[str] = (), refusal: Refused | None = None
) -> Response:
    here, person = web.of(request), session.person
    heading = gettext(
        "Crownkeep recovery codes of %(user)s, access portal %(portal)s, %(day)s",
        user=person.name,
        portal=person.path.strip("/"),
        day=here.now.date(),
    )
    text = "\n".join([heading, *codes, ""])
    return _page(
        request,
        "person_recovery_codes.html",
        session,
        status=200 if refusal is None else 403,
        refusal=refusal,
        to=to,
        codes=codes,
        left=recovery_codes.remaining(here.door, person),
        declinable=recovery_codes.may_decline(here.door, person),
        download="data:text/plain;base64," + base64.b64encode(text.encode()).decode(),
    )


def _mine(request: Request) -> BrowserSession:
    """Return the session of somebody who signs in at this start URL; raises SignInNeeded for everybody else."""
    session = web.person(request, request.path_params["start"])
    if session is None:
        raise SignInNeeded
    return session


def _require_proof(request: Request, session: BrowserSession) -> None:
    if not session.is_fresh(web.of(request).now):
        raise ProofNeeded


def _start(request: Request) -> str:
    return f"{web.PORTAL}/{quote(request.path_params['start'][:64], safe='')}"


def _page(request: Request, template: str, session: BrowserSession, *, status: int = 200, **values: object) -> Response:
    start = f"{web.PORTAL}{session.person.path.rstrip('/')}"
    return web.page(request, template, status=status, start=start, person=session.person, **values)


ROUTES = [
    Route("/start/{start}/security", security, methods=["GET"]),
    Route("/start/{start}/security", device_changed, methods=["POST"]),
    Route("/start/{start}/devices", add, methods=["GET"]),
    Route("/start/{start}/devices", added, methods=["POST"]),
    Route("/start/{start}/app", app, methods=["GET"]),
    Route("/start/{start}/app", app_codes, methods=["POST"]),
    Route("/start/{start}/recovery-codes", codes, methods=["GET"]),
    Route("/start/{start}/recovery-codes", codes_made, methods=["POST"]),
    Route("/start/{start}/change-password", password, methods=["GET"]),
    Route("/start/{start}/change-password", password_changed, methods=["POST"]),
]
