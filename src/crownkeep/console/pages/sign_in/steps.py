"""The steps after the password: the second factor, enrolling one, and changing a password that must be changed."""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import entering, second_factors, web
from crownkeep.console.kit.entering import STEPS
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.errors import AwsError, InvalidAuthenticationCode
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import enrolment, factors, password_rules, person_rules
from crownkeep.signin.enrolment import ProgressBinding
from crownkeep.signin.factors import AskedAgain
from crownkeep.signin.flow import ChangePasswordStep, EnrolStep, FactorStep, Method
from crownkeep.signin.progress import Next, Progress, Stale
from crownkeep.translation import gettext


async def factor(request: Request) -> Response:
    """Ask for a second factor."""
    begun = entering.begun(request)
    if begun is None or not isinstance(begun.step, FactorStep):
        return _elsewhere(request, begun)
    return _factor_page(request, begun)


async def factor_given(request: Request) -> Response:
    """Take a second factor."""
    begun, here, form = entering.begun_anywhere(request), web.of(request), web.form(request)
    if begun is None:
        return entering.stale(request)
    made = replace(begun, trusts="trust" in form)
    visit, answer = entering.visit(request, begun.to), second_factors.answer_in(request, form)
    outcome = await factors.present(here.door, visit, made, answer)
    if isinstance(outcome, AskedAgain):
        entering.keep(request, outcome.at.progress)
        return _factor_page(request, outcome.at, alert=second_factors.message_of(outcome.rejected), status=403)
    claim = begun.claim
    return await entering.follow(request, outcome, lambda: entering.stale(request), root=claim.name if claim.is_root else "")


async def enrol(request: Request) -> Response:
    """Offer to enrol a device, or insist on it."""
    begun = entering.begun(request)
    if begun is None or not isinstance(begun.step, EnrolStep):
        return _elsewhere(request, begun)
    return _enrol_page(request, begun.progress, begun.step)


async def enrol_chosen(request: Request) -> Response:
    """Begin with an authenticator app, take a passkey or a hardware token, or put it off."""
    begun, form, here = entering.begun(request), web.form(request), web.of(request)
    if begun is None or not isinstance(begun.step, EnrolStep):
        return entering.stale(request)
    visit, step = entering.visit(request, begun.progress.to), begun.step
    if "put-off" in form and step.may_be_put_off:
        outcome = await enrolment.go_on(here.door, visit, replace(begun.progress, put_off=True))
        return await entering.follow(request, outcome, lambda: entering.stale(request))
    try:
        if "credential" in form:
            return await _passkey_registered(request, begun.progress)
        if step.only_passkeys:
            return _enrol_page(request, begun.progress, step)
        if "token" in form:
            return await _token_enabled(request, begun.progress)
        actor = enrolment.actor_in(begun.progress, visit)
        enrolling = await enrolment.new_virtual_device(here.door, actor, form.one("name"))
    except AwsError as refusal:
        return await _enrol_again(request, begun.progress, step, refusal)
    entering.keep(request, replace(begun.progress, enrolling=enrolling))
    return web.go(f"{STEPS}/app")


async def app(request: Request) -> Response:
    """Show the QR code of the authenticator app that is being enrolled, and ask for two codes."""
    begun = entering.begun(request)
    if begun is None or not isinstance(begun.step, EnrolStep) or begun.progress.enrolling is None:
        return _elsewhere(request, begun)
    return _app_page(request, begun.progress)


async def app_codes(request: Request) -> Response:
    """Take two consecutive codes of the app."""
    begun, form, here = entering.begun(request), web.form(request), web.of(request)
    if begun is None or not isinstance(begun.step, EnrolStep) or begun.progress.enrolling is None:
        return entering.stale(request)
    visit, enrolling = entering.visit(request, begun.progress.to), begun.progress.enrolling
    binding = ProgressBinding(begun.progress)
    actor = enrolment.actor_in(begun.progress, visit, binding)
    try:
        serial = await enrolment.enable(here.door, actor, enrolling, code1=form.one("code1"), code2=form.one("code2"))
    except AwsError as refusal:
        return _app_page(request, begun.progress, alert=refusal.message, status=403)
    made = enrolment.enrolled(binding.progress, Method.TOTP, serial)
    outcome = await enrolment.go_on(here.door, visit, made)
    return await entering.follow(request, outcome, lambda: entering.stale(request))


async def password(request: Request) -> Response:
    """Ask for a new password in the place of one that must be changed."""
    begun = entering.begun(request)
    if begun is None or not isinstance(begun.step, ChangePasswordStep):
        return _elsewhere(request, begun)
    return _must_change_page(request, begun.progress.person)


async def password_changed(request: Request) -> Response:
    """Change the password, by the operation that a user would call for it."""
    begun, form, here = entering.begun(request), web.form(request), web.of(request)
    if begun is None or not isinstance(begun.step, ChangePasswordStep):
        return entering.stale(request)
    person, visit = begun.progress.person, entering.visit(request, begun.progress.to)

    def again(alert: str) -> Response:
        return _must_change_page(request, person, alert=alert)

    if form.one("new") != form.one("again"):
        return again(gettext("The two new passwords are not the same."))
    binding = ProgressBinding(begun.progress)
    actor = enrolment.actor_in(begun.progress, visit, binding)
    try:
        await enrolment.change_password(here.door, actor, old=form.one("old"), new=form.one("new"))
    except AwsError as refusal:
        return again(refusal.message)
    outcome = await enrolment.go_on(here.door, visit, binding.progress)
    return await entering.follow(request, outcome, lambda: entering.stale(request))


def _must_change_page(request: Request, person: Principal, *, alert: str = "") -> Response:
    rules = password_rules.shown(web.of(request).door, person)
    return web.page(request, "must_change.html", status=403 if alert else 200, person=person, alert=alert, rules=rules)


async def _passkey_registered(request: Request, begun: Progress) -> Response:
    form, here, party = web.form(request), web.of(request), entering.party(request)
    if party is None:
        raise MalformedForm(gettext("passkeys can't be used at an IP address"))
    visit, binding = entering.visit(request, begun.to), ProgressBinding(begun)
    parameters = enrolment.with_passkey(
        begun.person, name=form.one("name"), answer=second_factors.credential_in(form), challenge=begun.challenge, party=party
    )
    serial = await enrolment.register_passkey(here.door, enrolment.actor_in(begun, visit, binding), parameters)
    made = enrolment.enrolled(binding.progress, Method.PASSKEY, serial)
    outcome = await enrolment.go_on(here.door, visit, made)
    return await entering.follow(request, outcome, lambda: entering.stale(request))


async def _token_enabled(request: Request, begun: Progress) -> Response:
    form, here = web.form(request), web.of(request)
    visit, binding = entering.visit(request, begun.to), ProgressBinding(begun)
    actor = enrolment.actor_in(begun, visit, binding)
    codes = (form.one("code1"), form.one("code2"))
    serial = await enrolment.enable_token(here.door, actor, form.one("serial"), *codes)
    made = enrolment.enrolled(binding.progress, Method.TOTP, serial)
    outcome = await enrolment.go_on(here.door, visit, made)
    return await entering.follow(request, outcome, lambda: entering.stale(request))


async def _enrol_again(request: Request, begun: Progress, step: EnrolStep, refusal: AwsError) -> Response:
    fresh = await factors.anew(web.of(request).door, begun)
    if isinstance(fresh, Stale):
        return entering.stale(request)
    entering.keep(request, fresh)
    is_key = "credential" in web.form(request) and isinstance(refusal, InvalidAuthenticationCode)
    text = gettext("The passkey was not accepted. Try again, or use another one.") if is_key else refusal.message
    return _enrol_page(request, fresh, step, alert=text, status=403)


def _factor_page(request: Request, at: Next, *, alert: str = "", status: int = 200) -> Response:
    begun = at.progress
    methods = at.step.methods if isinstance(at.step, FactorStep) else ()
    devices = factors.codes_among(at.found) if Method.TOTP in methods else []
    has_passkey = Method.PASSKEY in methods
    return web.page(
        request,
        "factor.html",
        status=status,
        action=f"{STEPS}/mfa",
        devices=devices,
        has_passkey=has_passkey,
        passkey_options=second_factors.factor_options(request, begun.person, begun.challenge) if has_passkey else None,
        passkey_address=entering.passkey_address(request),
        has_recovery_codes=Method.RECOVERY_CODE in methods,
        is_root=begun.claim.is_root,
        cancel=_cancel(begun),
        trust_days=person_rules.TRUSTED_FOR.days if person_rules.is_offered(web.of(request).door, begun.person) else 0,
        alert=alert,
    )


def _cancel(begun: Progress) -> str:
    if begun.person.kind is PrincipalKind.PERSON:
        return f"{web.PORTAL}{begun.person.path.rstrip('/')}"
    return f"{web.SIGN_IN}?choose"


def _enrol_page(request: Request, begun: Progress, step: EnrolStep, *, alert: str = "", status: int = 200) -> Response:
    party, person = entering.party(request), begun.person
    options = None
    if party is not None:
        shown = begun.claim.name if begun.claim.is_root else person.name
        built = enrolment.registration_options(web.of(request).door, person, party, begun.challenge, shown_name=shown)
        options = json.dumps(built)
    return web.page(
        request,
        "enrol.html",
        status=status,
        step=step,
        name=enrolment.ROOT_DEVICE if begun.claim.is_root else person.name,
        has_tokens=enrolment.has_tokens(web.of(request).door, person),
        passkey_options=options,
        passkey_address=entering.passkey_address(request),
        alert=alert,
    )


def _app_page(request: Request, begun: Progress, *, alert: str = "", status: int = 200) -> Response:
    enrolling = begun.enrolling
    assert enrolling is not None  # noqa: S101 - the callers looked, for the type checker
    return web.page(
        request,
        "app.html",
        status=status,
        action=f"{STEPS}/app",
        back=f"{STEPS}/enrol",
        enrolling=enrolling,
        qr=enrolment.qr_svg(begun.person, enrolling),
        alert=alert,
    )


def _elsewhere(request: Request, begun: Next | None) -> Response:
    """Send a browser to the step that its sign-in stands at."""
    return web.go(web.SIGN_IN) if begun is None else web.go(entering.PATHS[type(begun.step)])


ROUTES = [
    Route(f"{STEPS}/mfa", factor, methods=["GET"]),
    Route(f"{STEPS}/mfa", factor_given, methods=["POST"]),
    Route(f"{STEPS}/enrol", enrol, methods=["GET"]),
    Route(f"{STEPS}/enrol", enrol_chosen, methods=["POST"]),
    Route(f"{STEPS}/app", app, methods=["GET"]),
    Route(f"{STEPS}/app", app_codes, methods=["POST"]),
    Route(f"{STEPS}/password", password, methods=["GET"]),
    Route(f"{STEPS}/password", password_changed, methods=["POST"]),
]
