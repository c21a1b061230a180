"""The console's first page: what is still open in this account, and where it is set right."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import account, contacts, credential_report, password_policy, posture, recommendations, root_use
from crownkeep.console.pages.recommendations import Recommendation, Status
from crownkeep.principals import PrincipalKind
from crownkeep.signin import password_age

COUNTS = (
    ("Users", "Users", "/console/users"),
    ("Groups", "Groups", "/console/groups"),
    ("Roles", "Roles", "/console/roles"),
    ("Policies", "Customer managed policies", "/console/policies"),
    ("Providers", "Identity providers", ""),
    ("MFADevicesInUse", "MFA devices in use", ""),
)
"""GetAccountSummary's members that are shown, each with its label and its page."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the hands-on guide, ticked off from what is so."""

    label: str
    is_done: bool
    path: str


async def dashboard(request: Request) -> Response:
    """Show who is signed in and how the account stands."""
    session, here = web.signed_in(request), web.of(request)
    identity = await web.call(request, "sts", "GetCallerIdentity")
    found = await posture.look(request)
    is_root = session.principal.kind is PrincipalKind.ROOT
    advice = recommendations.of(found, is_root=is_root)
    return frame.page(
        request,
        "dashboard.html",
        current="/console",
        same=_same(),
        identity=identity,
        expires_at=password_age.expires_soon(here.door, session.person, now=here.now),
        alias=found.alias,
        addresses=account.sign_in_addresses(request, found.alias if isinstance(found.alias, str) else ""),
        advice=advice,
        next=next((each.slug for each in advice if each.status is Status.OPEN and each.path), ""),
        done_count=sum(each.status is Status.DONE for each in advice),
        steps=_steps(advice, found),
        summary=found.summary,
        counts=COUNTS,
        used=await root_use.last_use(request),
        picture=root_use.PICTURE,
    )


def _steps(advice: list[Recommendation], found: posture.Posture) -> list[Step]:
    """Answer the guide's steps, in its order."""
    labels = {
        "administrator": "Make an administrator who isn't root",
        "password-policy": "Ask for passwords worth the name",
        "alias": "Give the account a name",
        "security-contact": "Name people to call",
        "root-mfa": "Give root a second factor",
        "users-mfa": "Give users a second factor",
        "root-keys": "Take root's key away",
    }
    steps = [Step(labels[each.slug], each.status is Status.DONE, f"#{each.slug}") for each in advice]
    report = Step("Look at the whole in a credential report", not isinstance(found.report, Refused), credential_report.PATH)
    return [*steps[:-1], report, steps[-1]]


def _same() -> list[Equivalent]:
    return [
        posture.SUMMARY,
        posture.ADMINISTRATORS,
        password_policy.GET,
        account.ALIASES,
        contacts.alternate_call(contacts.KINDS[-1]),
        credential_report.GET,
        root_use.LOOKUP,
    ]


ROUTES = [Route("/console", dashboard), Route("/console/", dashboard), *root_use.ROUTES]
