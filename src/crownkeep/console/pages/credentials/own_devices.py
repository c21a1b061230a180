"""One's own MFA devices: registered, synchronised again, and taken away. A fresh proof comes first."""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import clock
from crownkeep.console.kit import calls, entering, frame, parts, second_factors, web
from crownkeep.console.kit.calls import Done, Refused
from crownkeep.console.kit.cookies import Cookie
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.pages.credentials import own
from crownkeep.errors import AwsError, InvalidAuthenticationCode
from crownkeep.signin import enrolment, pending
from crownkeep.signin.sessions import BrowserSession
from crownkeep.translation import gettext, gettext_noop

ADD = "/console/mfa/add"
APP = "/console/mfa/app"
RESYNC = "/console/mfa/resync"
REMOVE = "/console/mfa/remove"

_ENABLE = Equivalent("iam", "EnableMFADevice")
_NOT_ACCEPTED = gettext_noop("The passkey was not accepted. Try again, or use another.")


async def add(request: Request) -> Response:
    """Ask which kind of device to register."""
    return _add_page(request, web.proven(request))


async def added(request: Request) -> Response:
    """Register a passkey or a hardware token, or begin with an authenticator app."""
    session, form, here = web.proven(request), web.form(request), web.of(request)
    own.owner(request)
    try:
        if "credential" in form:
            return calls.go(request, SECURITY, await _passkey(request, session))
        if "token" in form:
            return calls.go(request, SECURITY, await _token(request, session))
        enrolling = await enrolment.new_virtual_device(here.door, web.actor(request), form.one("name"))
    except AwsError as error:
        if "credential" in form and isinstance(error, InvalidAuthenticationCode):
            return _add_page(request, session, alert=gettext(_NOT_ACCEPTED))
        call = _ENABLE if "credential" in form or "token" in form else Equivalent("iam", "CreateVirtualMFADevice")
        return _add_page(request, session, refusal=calls.refused(request, call, error))
    second_factors.keep(request, pending.enrol(session, enrolling, now=here.now))
    return web.go(APP)


async def app(request: Request) -> Response:
    """Show the QR code of the app that is being registered."""
    return _app_page(request, web.proven(request))


async def app_codes(request: Request) -> Response:
    """Take two consecutive codes of the app."""
    session, form, here = web.proven(request), web.form(request), web.of(request)
    begun = second_factors.kept(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(ADD)
    codes = enrolment.with_codes(session.person, begun.enrolling.serial, code1=form.one("code1"), code2=form.one("code2"))
    try:
        done = await calls.change(request, _ENABLE.service, _ENABLE.operation, codes)
    except AwsError as error:
        return _app_page(request, session, refusal=calls.refused(request, _ENABLE, error))
    here.drop_cookie(Cookie.FLOW)
    return calls.go(request, SECURITY, done)


async def remove(request: Request) -> Response:
    """Take a device away."""
    session, serial = web.proven(request), web.form(request).one("serial")
    whose = {"UserName": enrolment.user_name(session.person), "SerialNumber": serial}
    wanted = [Equivalent("iam", "DeactivateMFADevice", whose)]
    # A virtual device is an object of its own and would stay, unassigned, in the account; the others go with their
    # deactivation.
    if ":mfa/" in serial:
        wanted.append(Equivalent("iam", "DeleteVirtualMFADevice", {"SerialNumber": serial}))
    return await parts.change(request, wanted, then=SECURITY, current=SECURITY)


async def resync(request: Request) -> Response:
    """Ask for two consecutive codes of a device whose clock has drifted."""
    own.owner(request)
    return _resync_page(request, request.query_params.get("serial", ""))


async def resynced(request: Request) -> Response:
    """Learn anew how far a device's clock is off."""
    person, form = own.owner(request), web.form(request)
    codes = enrolment.with_codes(person, form.one("serial"), code1=form.one("code1"), code2=form.one("code2"))
    wanted = Equivalent("iam", "ResyncMFADevice", codes)
    try:
        done = await calls.change(request, wanted.service, wanted.operation, wanted.parameters)
    except AwsError as error:
        return _resync_page(request, form.one("serial"), refusal=calls.refused(request, wanted, error))
    return calls.go(request, SECURITY, done)


async def _passkey(request: Request, session: BrowserSession) -> Done:
    form, here, party, begun = web.form(request), web.of(request), entering.party(request), second_factors.kept(request, session)
    # Spent before it is used: one challenge registers one key, also where a form is sent twice.
    if party is None or begun is None or not await pending.spend(here.door, begun):
        raise MalformedForm(gettext("the registration has expired: go back and begin again"))
    parameters = enrolment.with_passkey(
        session.person, name=form.one("name"), answer=second_factors.credential_in(form), challenge=begun.challenge, party=party
    )
    done = await calls.change(request, "account-security", "RegisterPasskey", parameters)
    # Told as AWS's action, which policies name and the record shows; RegisterPasskey is only how a browser's answer comes in.
    return replace(done, action=_ENABLE.action)


async def _token(request: Request, session: BrowserSession) -> Done:
    form, here = web.form(request), web.of(request)
    serial = enrolment.token_serial(here.door, session.person, form.one("serial"))
    codes = enrolment.with_codes(session.person, serial, code1=form.one("code1"), code2=form.one("code2"))
    return await calls.change(request, _ENABLE.service, _ENABLE.operation, codes)


def _add_page(request: Request, session: BrowserSession, *, alert: str = "", refusal: Refused | None = None) -> Response:
    person = own.owner(request)
    here, party, options = web.of(request), entering.party(request), None
    if party is not None:
        begun = pending.begin(session, now=here.now, chance=clock.token_bytes(pending.CHANCE))
        second_factors.keep(request, begun)
        shown = person.name or gettext("root of %(account)s", account=person.account_id)
        built = enrolment.registration_options(here.door, person, party, begun.challenge, shown_name=shown)
        options = json.dumps(built)
    name = f"{person.name or 'root'}-{here.now:%Y%m%d}"
    return frame.page(
        request,
        "add_device.html",
        current=SECURITY,
        same=[Equivalent("iam", "CreateVirtualMFADevice", {"VirtualMFADeviceName": name})],
        refusal=refusal,
        status=403 if alert else 200,
        name=name,
        enrol_action=ADD,
        passkey_options=options,
        passkey_address=entering.passkey_address(request),
        has_tokens=enrolment.has_tokens(here.door, person),
        alert=alert,
    )


def _app_page(request: Request, session: BrowserSession, *, refusal: Refused | None = None) -> Response:
    begun = second_factors.kept(request, session)
    if begun is None or begun.enrolling is None:
        return web.go(ADD)
    codes = enrolment.with_codes(session.person, begun.enrolling.serial, code1="CODE_1", code2="CODE_2")
    return frame.page(
        request,
        "add_app.html",
        current=SECURITY,
        same=[Equivalent(_ENABLE.service, _ENABLE.operation, codes)],
        refusal=refusal,
        action=APP,
        back=ADD,
        enrolling=begun.enrolling,
        qr=enrolment.qr_svg(session.person, begun.enrolling),
    )


def _resync_page(request: Request, serial: str, *, refusal: Refused | None = None) -> Response:
    codes = enrolment.with_codes(own.owner(request), serial, code1="CODE_1", code2="CODE_2")
    return frame.page(
        request,
        "resync_device.html",
        current=SECURITY,
        same=[Equivalent("iam", "ResyncMFADevice", codes)],
        refusal=refusal,
        serial=serial,
    )


ROUTES = [
    Route(ADD, add, methods=["GET"]),
    Route(ADD, added, methods=["POST"]),
    Route(APP, app, methods=["GET"]),
    Route(APP, app_codes, methods=["POST"]),
    Route(RESYNC, resync, methods=["GET"]),
    Route(RESYNC, resynced, methods=["POST"]),
    Route(REMOVE, remove, methods=["POST"]),
]
