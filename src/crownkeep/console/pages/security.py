"""A person's own security credentials: password, MFA devices, recovery codes and sessions."""

from __future__ import annotations

import base64
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import clock
from crownkeep.console import destinations, web
from crownkeep.console.cookies import Cookie
from crownkeep.console.forms import MalformedForm
from crownkeep.console.pages import entering, steps
from crownkeep.credentials.webauthn import WebauthnRefused
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind
from crownkeep.signin import account_settings, enrolment, pending, recovery_codes, sessions
from crownkeep.signin.pending import Pending
from crownkeep.signin.sessions import BrowserSession

SECURITY = "/console/security"
ADD = "/console/mfa/add"
APP = "/console/mfa/app"


async def security(request: Request) -> Response:
    """Show what somebody signs in with."""
    return await _security_page(request)


async def add(request: Request) -> Response:
    """Ask which kind of device to register; a fresh proof comes first."""
    session = web.proven(request)
    return _add_page(request, session)


async def added(request: Request) -> Response:
    """Register a passkey, or begin with an authenticator app."""
    session, form, here = web.proven(request), web.form(request), web.of(request)
    try:
        if "credential" in form:
            party = entering.party(request)
            begun = _pending(request, session)
            if party is None or begun is None or not await pending.spend(here.door, begun):
                raise MalformedForm("the registration has expired: go back and begin again")
            await enrolment.register_passkey(
                here.door,
                web.actor(request),
                name=form.one("name"),
                answer=steps.credential_in(form),
                challenge=begun.challenge,
                party=party,
            )
            return web.go(SECURITY)
        enrolling = await enrolment.new_virtual_device(here.door, web.actor(request), form.one("name"))
    except (AwsError, WebauthnRefused) as refusal:
        text = refusal.message if isinstance(refusal, AwsError) else "The passkey was not accepted. Try again, or use another."
        return _add_page(request, session, alert=text, status=403)
    _keep(request, pending.enrol(session, enrolling, now=here.now))
    return web.go(APP)


async def app(request: Request) -> Response:
    """Show the QR code of the app that is being registered."""
    return _app_page(request, web.proven(request))


async def app_codes(request: Request) -> Response:
    """Take two consecutive codes of the app."""
    session, form, here = web.proven(request), web.form(request), web.of(request)
    begun = _pending(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(ADD)
    try:
        actor = web.actor(request)
        await enrolment.enable(here.door, actor, begun.enrolling, code1=form.one("code1"), code2=form.one("code2"))
    except AwsError as refusal:
        return _app_page(request, session, alert=refusal.message, status=403)
    here.drop_cookie(Cookie.FLOW)
    return web.go(SECURITY)


async def remove(request: Request) -> Response:
    """Take a device away."""
    session, serial = web.proven(request), web.form(request).one("serial")
    try:
        named = {"UserName": enrolment.user_name(session.person), "SerialNumber": serial}
        await web.call(request, "iam", "DeactivateMFADevice", named)
        if ":mfa/" in serial:
            await web.call(request, "iam", "DeleteVirtualMFADevice", {"SerialNumber": serial})
    except AwsError as refusal:
        return await _security_page(request, alert=refusal.message, status=403)
    return web.go(SECURITY)


async def codes(request: Request) -> Response:
    """Offer recovery codes."""
    session, here = web.signed_in(request), web.of(request)
    _refuse_roles(session)
    with here.door.database.snapshot() as db:
        left = recovery_codes.remaining(db, session)
    to = destinations.ours(request.query_params.get("to", ""))
    return web.page(request, "recovery_codes.html", left=left, to=to, codes=(), download="")


async def codes_made(request: Request) -> Response:
    """Make recovery codes and show them this once."""
    session, here = web.proven(request), web.of(request)
    _refuse_roles(session)
    to = destinations.ours(web.form(request).one("to"))
    made = await recovery_codes.make(here.door, session, origin=here.origin, now=here.now)
    shown = [code.reveal() for code in made]
    owner = session.person.name or "root user"
    text = "\n".join(
        [f"Crownkeep recovery codes of {owner}, account {session.person.account_id}, {here.now:%Y-%m-%d}", *shown, ""]
    )
    download = "data:text/plain;base64," + base64.b64encode(text.encode()).decode()
    return web.page(request, "recovery_codes.html", left=0, to=to, codes=shown, download=download)


async def list_sessions(request: Request) -> Response:
    """Show where somebody is signed in."""
    session, here = web.signed_in(request), web.of(request)
    with here.door.database.snapshot() as db:
        found = sessions.of_person(db, here.door.wiring, session.person, now=here.now)
    return web.page(request, "sessions.html", sessions=found, current=session.session_id)


async def end_session(request: Request) -> Response:
    """End one session, or every other."""
    session, form, here = web.signed_in(request), web.form(request), web.of(request)
    if "others" in form:
        await sessions.end_others(here.door, session, origin=here.origin, now=here.now)
    else:
        await sessions.end(here.door, session, form.one("session"), origin=here.origin, now=here.now)
    return web.go("/console/sessions")


async def users_need_mfa(request: Request) -> Response:
    """Set whether every user of the account signs in with MFA only."""
    web.proven(request)
    form, here = web.form(request), web.of(request)
    change = account_settings.require_mfa if "required" in form else account_settings.require_no_mfa
    try:
        await change(here.door, web.actor(request))
    except AwsError as refusal:
        return await _security_page(request, alert=refusal.message, status=403)
    return web.go(SECURITY)


async def _security_page(request: Request, *, alert: str = "", status: int = 200) -> Response:
    session, here = web.signed_in(request), web.of(request)
    person = session.person
    if session.switched or person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER):
        return web.page(request, "no_credentials.html")
    with here.door.database.snapshot() as db:
        devices, left = enrolment.devices_of(db, person), recovery_codes.remaining(db, session)
        count = len(sessions.of_person(db, here.door.wiring, person, now=here.now))
    return web.page(
        request,
        "security.html",
        status=status,
        devices=devices,
        most_devices=enrolment.MOST_DEVICES,
        codes_left=left,
        session_count=count,
        users_need_mfa=account_settings.users_need_mfa(here.door, person),
        alert=alert,
    )


def _add_page(request: Request, session: BrowserSession, *, alert: str = "", status: int = 200) -> Response:
    _refuse_roles(session)
    here, party, options = web.of(request), entering.party(request), None
    if party is not None:
        begun = pending.begin(session, now=here.now, chance=clock.token_bytes(pending.CHANCE))
        _keep(request, begun)
        shown = session.person.name or f"root of {session.person.account_id}"
        built = enrolment.registration_options(here.door, session.person, party, begun.challenge, shown_name=shown)
        options = json.dumps(built)
    return web.page(
        request,
        "add_device.html",
        status=status,
        name=f"{session.person.name or 'root'}-{here.now:%Y%m%d}",
        enrol_action=ADD,
        passkey_options=options,
        passkey_address=entering.passkey_address(request),
        alert=alert,
    )


def _app_page(request: Request, session: BrowserSession, *, alert: str = "", status: int = 200) -> Response:
    begun = _pending(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(ADD)
    return web.page(
        request,
        "add_app.html",
        status=status,
        action=APP,
        back=ADD,
        enrolling=begun.enrolling,
        qr=enrolment.qr_svg(session.person, begun.enrolling),
        alert=alert,
    )


def _keep(request: Request, begun: Pending) -> None:
    here = web.of(request)
    here.set_cookie(Cookie.FLOW, pending.seal(here.door.wiring.keyring, begun), lasts=pending.LASTS, same_site="Strict")


def _pending(request: Request, session: BrowserSession) -> Pending | None:
    here = web.of(request)
    return pending.unseal(here.door.wiring.keyring, here.cookie(Cookie.FLOW), session, now=here.now)


def _refuse_roles(session: BrowserSession) -> None:
    if session.person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER):
        raise MalformedForm("this session has no credentials of its own")


ROUTES = [
    Route(SECURITY, security, methods=["GET"]),
    Route(ADD, add, methods=["GET"]),
    Route(ADD, added, methods=["POST"]),
    Route(APP, app, methods=["GET"]),
    Route(APP, app_codes, methods=["POST"]),
    Route("/console/mfa/remove", remove, methods=["POST"]),
    Route("/console/recovery-codes", codes, methods=["GET"]),
    Route("/console/recovery-codes", codes_made, methods=["POST"]),
    Route("/console/sessions", list_sessions, methods=["GET"]),
    Route("/console/sessions", end_session, methods=["POST"]),
    Route("/console/sign-in-settings", users_need_mfa, methods=["POST"]),
]
