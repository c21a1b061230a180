"""Pages of recovery: a forgotten password, lost MFA devices, and the confirmation that those need."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import entering, web
from crownkeep.console.pages.sign_in import link_passwords
from crownkeep.console.pages.sign_in.link_passwords import PasswordLink
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.signin import mfa_recovery, recovery
from crownkeep.signin.flow import FactorStep
from crownkeep.signin.mfa_recovery import RecoveryOutcome, Requested, TooOften
from crownkeep.signin.recovery import Asked
from crownkeep.translation import gettext

FORGOTTEN = "/signin/recover/password"
LOST_MFA = "/signin/recover/mfa"
_COMPLETE = "/signin/recover/mfa/complete"


async def forgotten(request: Request) -> Response:
    """Ask for root's e-mail address."""
    return web.page(request, "forgotten.html", email=request.query_params.get("email", "")[:254])


async def forgotten_asked(request: Request) -> Response:
    """Send a link, if the address is root's; whether it is cannot be told from the answer."""
    form, here = web.form(request), web.of(request)
    asked = await recovery.request_password(here.door, form.one("email"), origin=here.origin, now=here.now)
    if asked is Asked.TOO_OFTEN:
        return entering.too_many_links(request)
    text = gettext(
        "If a root user has that email address, a link to choose a new password is on its way. It works once, within an hour. "
        "Look into the spam folder too."
    )
    return web.page(
        request, "message.html", title=gettext("Check your email"), text=text, to=web.SIGN_IN, label=gettext("Back to sign in")
    )


async def reset(request: Request) -> Response:
    """Ask whoever has the link for a new password."""
    return link_passwords.page(request, _RESET, request.query_params.get("token", ""))


async def reset_given(request: Request) -> Response:
    """Set root's new password and go on to its second factor."""
    return await link_passwords.choose(request, _RESET)


async def lost_mfa(request: Request) -> Response:
    """Say what it takes to get in without a lost device; for root, who has proved the password."""
    begun = entering.begun(request)
    if begun is None or not isinstance(begun.step, FactorStep) or not begun.progress.claim.is_root:
        return web.go(web.SIGN_IN)
    return web.page(request, "lost_mfa.html", email=begun.progress.claim.name)


async def lost_mfa_asked(request: Request) -> Response:
    """Send a link to root's mailbox."""
    web.form(request)
    begun, here = entering.begun(request), web.of(request)
    if begun is None:
        return entering.stale(request)
    match await mfa_recovery.request(here.door, begun.progress, origin=here.origin, now=here.now):
        case Requested():
            text = gettext("A link is on its way to the root user's mailbox. Open it within 15 minutes to go on.")
            return web.page(
                request,
                "message.html",
                title=gettext("Check your email"),
                text=text,
                to=web.SIGN_IN,
                label=gettext("Back to sign in"),
            )
        case TooOften():
            return entering.too_many_links(request)
        case _:
            return entering.stale(request)


async def lost_mfa_link(request: Request) -> Response:
    """Show whoever has the link how far the recovery has come, and the code once it was opened."""
    return _recovery_page(request, request.query_params.get("token", ""))


async def lost_mfa_opened(request: Request) -> Response:
    """Open the recovery: mail scanners follow links, but send no forms."""
    form, here = web.form(request), web.of(request)
    token = form.one("token")
    try:
        await mfa_recovery.open_link(here.door, token, origin=here.origin, now=here.now)
    except InvalidLink:
        return _invalid(request)
    return _recovery_page(request, token)


async def lost_mfa_completed(request: Request) -> Response:
    """Remove the lost devices."""
    form, here = web.form(request), web.of(request)
    try:
        await mfa_recovery.complete(here.door, form.one("token"), origin=here.origin, now=here.now)
    except InvalidLink:
        return _invalid(request)
    text = gettext(
        "The lost devices are removed and every session has ended. Sign in with the password now and register another device."
    )
    return web.page(
        request,
        "message.html",
        title=gettext("The root user has no MFA device"),
        text=text,
        to=web.SIGN_IN,
        label=gettext("Sign in"),
    )


async def custodian(request: Request) -> Response:
    """Ask a custodian for the code."""
    return _custodian_page(request, request.query_params.get("token", ""))


async def custodian_confirmed(request: Request) -> Response:
    """Confirm a recovery with the code that the person told."""
    form, here = web.form(request), web.of(request)
    token, code = form.one("token"), Secret(form.one("code"))
    try:
        outcome = await mfa_recovery.confirm_as_custodian(here.door, token, code, origin=here.origin, now=here.now)
    except InvalidLink:
        return _invalid(request)
    if outcome is not RecoveryOutcome.CONFIRMED:
        return _custodian_page(request, token, alert=gettext("That code is wrong. Talk to the person again."), status=403)
    text = gettext(
        "Whoever asked can now remove the lost MFA devices, within an hour. The root user and the security contact hear of it."
    )
    return web.page(
        request, "message.html", title=gettext("The recovery is confirmed"), text=text, to=web.SIGN_IN, label=gettext("Close")
    )


def _recovery_page(request: Request, token: str) -> Response:
    here = web.of(request)
    try:
        found = mfa_recovery.look(here.door, token, now=here.now)
    except InvalidLink:
        return _invalid(request)
    return web.page(
        request,
        "mfa_recovery.html",
        token=token,
        account_id=found.account_id,
        stage=found.stage.name.lower(),
        code=found.code.reveal() if found.code else "",
        custodian=found.custodian,
        expires_at=found.expires_at,
        link=mfa_recovery.LINK,
        complete=_COMPLETE,
    )


def _custodian_page(request: Request, token: str, *, alert: str = "", status: int = 200) -> Response:
    here = web.of(request)
    try:
        row = mfa_recovery.awaited(here.door, token, now=here.now)
    except InvalidLink:
        return _invalid(request)
    values = {"account_id": row.account_id, "address": row.address, "requested_at": row.requested_at, "alert": alert}
    return web.page(request, "custodian.html", status=status, token=token, action=mfa_recovery.CUSTODIAN_LINK, **values)


def _invalid(request: Request) -> Response:
    text = gettext("It was used before, has expired, was replaced by a newer one, or was never one. Ask for another.")
    return web.page(
        request,
        "message.html",
        status=403,
        title=gettext("This link is not valid"),
        text=text,
        to=web.SIGN_IN,
        label=gettext("Sign in"),
    )


_RESET = PasswordLink(recovery.RESET, LinkPurpose.RESET_ROOT_PASSWORD, _invalid)

ROUTES = [
    Route(FORGOTTEN, forgotten, methods=["GET"]),
    Route(FORGOTTEN, forgotten_asked, methods=["POST"]),
    Route(recovery.RESET, reset, methods=["GET"]),
    Route(recovery.RESET, reset_given, methods=["POST"]),
    Route(LOST_MFA, lost_mfa, methods=["GET"]),
    Route(LOST_MFA, lost_mfa_asked, methods=["POST"]),
    Route(mfa_recovery.LINK, lost_mfa_link, methods=["GET"]),
    Route(mfa_recovery.LINK, lost_mfa_opened, methods=["POST"]),
    Route(_COMPLETE, lost_mfa_completed, methods=["POST"]),
    Route(mfa_recovery.CUSTODIAN_LINK, custodian, methods=["GET"]),
    Route(mfa_recovery.CUSTODIAN_LINK, custodian_confirmed, methods=["POST"]),
]
