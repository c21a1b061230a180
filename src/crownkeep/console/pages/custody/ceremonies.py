"""What custodians were asked about the account: the requests, and each with its ceremony and what was done by it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.custody.custody_tabs import REQUESTS, TABS
from crownkeep.translation import gettext, gettext_noop, ngettext

ONE = f"{REQUESTS}/one"
STATES = {
    "waiting": gettext_noop("Waits for custodians"),
    "approved": gettext_noop("Approved, not used yet"),
    "used": gettext_noop("Used"),
    "refused": gettext_noop("Refused"),
    "expired": gettext_noop("Expired"),
    "void": gettext_noop("Void: the team, a person or a key has changed"),
    "cancelled": gettext_noop("Cancelled"),
    "failed": gettext_noop("Failed"),
}
OPEN = ("waiting", "approved")


@dataclass(frozen=True, slots=True)
class CeremonyStep:
    """One step of a ceremony; without a moment it has not happened yet."""

    title: str
    moment: datetime | None = None
    detail: str = ""


async def requests(request: Request) -> Response:
    """List the requests about the account, those that are open first."""
    listed = await parts.ask(request, "ListRequests", service="approvals")
    rows = listed.rows("Requests")
    return frame.page(
        request,
        "custody_requests.html",
        current="/console/custody",
        same=[listed.call],
        tabs=TABS,
        listed=listed,
        open=[each for each in rows if each["State"] in OPEN],
        past=[each for each in rows if each["State"] not in OPEN],
        states=STATES,
        here=REQUESTS,
    )


async def one(request: Request) -> Response:
    """Show one request: its ceremony as a timeline, and everything that was done by it."""
    request_id = request.query_params.get("id", "")
    found, report = await asyncio.gather(
        parts.ask(request, "GetRequest", service="approvals", RequestId=request_id),
        parts.ask(request, "GetRequestReport", service="approvals", RequestId=request_id),
    )
    # Who may not see requests is told which permission it takes; only what isn't there is missing.
    if found.refusal is not None and not found.refusal.is_denied:
        return parts.missing(request, found, current="/console/custody", title=gettext("No such request"), back=REQUESTS)
    asked = found.one("Request")
    return frame.page(
        request,
        "custody_request.html",
        current="/console/custody",
        same=parts.equivalents([found, report]),
        found=found,
        asked=asked,
        state=gettext(STATES.get(str(asked.get("State")), "")),
        steps=_steps(asked, report) if asked else [],
        report=report,
        acts=[each for each in _events(report) if each["Part"] != "ceremony"],
        here=REQUESTS,
    )


def _events(report: Part) -> Sequence[Mapping[str, Any]]:
    events: Sequence[Mapping[str, Any]] = report.one("Report").get("Events", ())
    return events


def _steps(asked: Mapping[str, Any], report: Part) -> list[CeremonyStep]:
    answer = ", ".join(asked.get("Asked", ())) or gettext("nobody")
    steps = [
        CeremonyStep(
            gettext("Asked"),
            asked["AskedAt"],
            gettext("by %(requester)s, from %(source)s", requester=asked["Requester"], source=asked["Source"]),
        ),
        CeremonyStep(gettext("Custodians were told"), asked["AskedAt"], answer),
        *(CeremonyStep(_vote(vote), vote["CastAt"]) for vote in asked["Votes"]),
        *_outcome(asked),
    ]
    found = report.one("Report")
    if "UsedAt" in found:
        steps.append(CeremonyStep(gettext("Used"), found["UsedAt"], _done(report)))
    # Only a sign-in as root is reviewed: of other acts the request names exactly what was done.
    if asked["Action"] == "signin:ConsoleLogin" and asked["State"] == "used":
        reviewed = next((each["Who"] for each in _events(report) if each["Part"] == "review"), "")
        waits = gettext("A custodian other than whoever asked signs it off at /approvals")
        steps.append(
            CeremonyStep(
                gettext("Reviewed") if reviewed else gettext("The review is due"),
                found.get("ReviewedAt"),
                "" if reviewed else waits,
            )
        )
    return steps


def _vote(vote: Mapping[str, Any]) -> str:
    if vote["Decision"] == "approve":
        return gettext("%(approver)s approved", approver=vote["Approver"])
    return gettext("%(approver)s refused", approver=vote["Approver"])


def _outcome(asked: Mapping[str, Any]) -> list[CeremonyStep]:
    approved = sum(vote["Decision"] == "approve" for vote in asked["Votes"])
    count = gettext("%(approved)s of %(needed)s approvals", approved=approved, needed=asked.get("ApprovalsNeeded", "?"))
    match asked["State"]:
        case "waiting":
            return [CeremonyStep(gettext("Waits for custodians"), None, count)]
        case "approved" | "used":
            return [CeremonyStep(gettext("Approved"), asked.get("DecidedAt"), count)]
        case "expired":
            return [CeremonyStep(gettext("Expired"), asked["ExpiresAt"], count)]
        case state:
            return [
                CeremonyStep(gettext(STATES[state]) if state in STATES else state.capitalize(), asked.get("DecidedAt"), count)
            ]


def _done(report: Part) -> str:
    count = sum(each["Part"] == "session" for each in _events(report))
    return ngettext("%(num)s call in the session", "%(num)s calls in the session", count) if count else ""


ROUTES = [Route(REQUESTS, requests, methods=["GET"]), Route(ONE, one, methods=["GET"])]
