"""Changing one's own password, and proving anew that one is there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep import clock
from crownkeep.console.kit import calls, destinations, entering, frame, parts, second_factors, web
from crownkeep.console.kit.calls import Done, Refused
from crownkeep.console.kit.destinations import SECURITY
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.credentials import own
from crownkeep.credentials.secret import Secret
from crownkeep.errors import AwsError
from crownkeep.principals import PrincipalKind
from crownkeep.signin import factors, password_rules, pending, presence, root_passwords, sessions
from crownkeep.signin.factors import PasskeyAnswer, Rejected
from crownkeep.signin.flow import Method
from crownkeep.signin.password_rules import Assessment
from crownkeep.signin.presence import Proved
from crownkeep.signin.sessions import BrowserSession
from crownkeep.signin.throttle import Waiting
from crownkeep.translation import gettext

PASSWORD = "/console/password"

_CHANGE = Equivalent("iam", "ChangePassword", {"OldPassword": "OLD_PASSWORD", "NewPassword": "NEW_PASSWORD"})


async def password(request: Request) -> Response:
    """Ask for the present password and a new one."""
    session = web.signed_in(request)
    if session.person.kind is PrincipalKind.ROOT:
        web.proven(request)
    return _password_page(request, session)


async def password_changed(request: Request) -> Response:
    """Change the password of whoever is signed in; every other session of theirs ends."""
    session, form = web.signed_in(request), web.form(request)
    if form.one("new") != form.one("again"):
        return _password_page(request, session, alert=gettext("The two new passwords are not the same."), status=400)
    if session.person.kind is PrincipalKind.ROOT:
        return await _root_changed(request, web.proven(request))
    wanted = {"OldPassword": form.one("old"), "NewPassword": form.one("new")}
    try:
        done = await calls.change(request, _CHANGE.service, _CHANGE.operation, wanted)
    except AwsError as error:
        return _password_page(request, session, refusal=calls.refused(request, _CHANGE, error))
    return _changed_page(request, done)


async def confirm(request: Request) -> Response:
    """Ask for a fresh proof, on the way to a page that wants one."""
    return _confirm_page(request, web.anybody(request), destinations.ours(request.query_params.get("to", "")))


async def confirmed(request: Request) -> Response:
    """Take a fresh proof and go on."""
    session, form, here = web.anybody(request), web.form(request), web.of(request)
    to = destinations.ours(form.one("to"))
    if "password" in form:
        outcome = await presence.prove_by_password(
            here.door, session, Secret(form.one("password")), origin=here.origin, now=here.now
        )
    else:
        answer = second_factors.answer_in(request, form)
        begun = second_factors.kept(request, session)
        # Only a passkey answers a challenge of ours; a code needs none, and must not spend it.
        put = begun if isinstance(answer, PasskeyAnswer) else None
        outcome = await presence.prove_by_factor(here.door, session, answer, challenge=put, origin=here.origin, now=here.now)
    match outcome:
        case Waiting():
            return entering.wait(request, outcome)
        case Rejected():
            return _confirm_page(request, session, to, alert=second_factors.message_of(outcome), status=403)
        case Proved():
            return web.go(to)


async def _root_changed(request: Request, session: BrowserSession) -> Response:
    form, here = web.form(request), web.of(request)
    wanted = {"OldPassword": form.one("old"), "NewPassword": form.one("new")}
    outcome = await parts.carry_out(request, [Equivalent("account-security", "ChangeRootPassword", wanted)])
    refused = outcome.refused
    if refused is None:
        return _changed_page(request, outcome.made[0])
    waiting = presence.waiting(here.door, session, origin=here.origin, now=here.now)
    # Told as a wait with its seconds, like at sign-in; the API's Throttling says no time.
    if refused.code == "Throttling" and waiting is not None:
        return entering.wait(request, waiting)
    if refused.code == "ValidationError":
        found = await root_passwords.assessment(here.door, session.person, Secret(form.one("new")))
        if found is not None and found.violations:
            return _password_page(request, session, assessment=found, status=400)
    return _password_page(request, session, alert=refused.message, status=403)


def _changed_page(request: Request, done: Done) -> Response:
    return frame.page(request, "password_changed.html", current=SECURITY, made=[done])


def _password_page(
    request: Request,
    session: BrowserSession,
    *,
    alert: str = "",
    assessment: Assessment | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> Response:
    if not own.has_credentials(session):
        return own.none(request)
    is_root = session.person.kind is PrincipalKind.ROOT
    return frame.page(
        request,
        "password.html",
        current=SECURITY,
        same=[] if is_root else [_CHANGE],
        refusal=refusal,
        status=status,
        alert=alert,
        assessment=assessment,
        rules=password_rules.shown(web.of(request).door, session.person),
        is_root=is_root,
    )


def _confirm_page(request: Request, session: BrowserSession, to: str, *, alert: str = "", status: int = 200) -> Response:
    here = web.of(request)
    methods = presence.methods(here.door, session)
    options = None
    if Method.PASSKEY in methods:
        begun = pending.begin(session, now=here.now, chance=clock.token_bytes(pending.CHANCE))
        options = second_factors.factor_options(request, session.person, begun.challenge)
        second_factors.keep(request, begun)
    devices = factors.codes_of(here.door, session.person)
    return web.page(
        request,
        "confirm.html",
        status=status,
        to=to,
        needs_password=not methods,
        devices=devices,
        has_passkey=Method.PASSKEY in methods,
        passkey_options=options,
        passkey_address=entering.passkey_address(request),
        has_recovery_codes=Method.RECOVERY_CODE in methods,
        minutes=int(sessions.FRESH_FOR.total_seconds()) // 60,
        alert=alert,
    )


ROUTES = [
    Route(PASSWORD, password, methods=["GET"]),
    Route(PASSWORD, password_changed, methods=["POST"]),
    Route(web.CONFIRM, confirm, methods=["GET"]),
    Route(web.CONFIRM, confirmed, methods=["POST"]),
]
