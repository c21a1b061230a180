"""Notices: what became of the account's last mail, and a test alert to see that it reaches an alternate contact."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import calls, contact_kinds, destinations, frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.account import settings
from crownkeep.errors import AwsError
from crownkeep.signin import last_notices
from crownkeep.signin.last_notices import LastNotice
from crownkeep.translation import gettext_noop

PATH = f"{destinations.ACCOUNT}/notices"

KINDS = {
    "notice": gettext_noop("Alert"),
    "test-alert": gettext_noop("Test alert"),
    "password-link": gettext_noop("Link for a new root password"),
    "sign-in-link": gettext_noop("Link for one try to sign in as root"),
    "mfa-link": gettext_noop("Link to recover root's MFA"),
    "custodian-link": gettext_noop("Link for root's custodian"),
    "approval-asked": gettext_noop("Approval asked of a custodian"),
    "email-code": gettext_noop("Code for a new email address"),
    "email-changed": gettext_noop("Root's email address changed"),
    "contact-replaced": gettext_noop("Security contact replaced"),
    "organization-invitation": gettext_noop("Invitation to an organization"),
}
"""What notices are about, for people."""

_READING = Equivalent("account", "GetAlternateContact", {"AlternateContactType": "SECURITY"})


async def show(request: Request) -> Response:
    """Show the last notices."""
    return await _page(request)


async def test(request: Request) -> Response:
    """Send a test alert to an alternate contact."""
    web.form(request)
    kind = next((kind for kind in contact_kinds.KINDS if kind.slug == request.path_params["kind"]), None)
    if kind is None:
        raise HTTPException(404)
    wanted = Equivalent("account-security", "SendTestAlert", {"AlternateContactType": kind.type})
    outcome = await parts.carry_out(request, [wanted])
    if outcome.refused is not None:
        return await _page(request, refusal=outcome.refused)
    return calls.go(request, PATH, *outcome.made)


async def _page(request: Request, *, refusal: Refused | None = None) -> Response:
    found: Sequence[LastNotice] | Refused
    try:
        found = await last_notices.last_notices(web.of(request).door, web.actor(request))
    except AwsError as error:
        # The session has ended: there is no page to show a refusal on.
        if error.code == "ExpiredToken":
            raise
        found = calls.refused(request, _READING, error)
    return frame.page(
        request,
        "notices.html",
        current=destinations.ACCOUNT,
        refusal=refusal,
        unknown=found if isinstance(found, Refused) else None,
        notices=() if isinstance(found, Refused) else found,
        kinds=KINDS,
        has_server=bool(web.of(request).settings.smtp_host),
        most_tests=last_notices.MOST_TESTS,
    )


ROUTES = [
    Route(PATH, show, methods=["GET"]),
    Route(settings.TEST, test, methods=["POST"]),
]
