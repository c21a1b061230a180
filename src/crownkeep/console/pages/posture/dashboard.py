"""The console's first page: what is still open in this account, and where it is set right."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.advisor import calls as questions
from crownkeep.advisor import recommendations
from crownkeep.advisor.evidence import Missing
from crownkeep.advisor.posture import ADMINISTRATORS, Posture
from crownkeep.advisor.recommendations import Recommendation, Status
from crownkeep.console.kit import (
    account_names,
    calls,
    evidence_asked,
    frame,
    parts,
    report_lines,
    signed_audits,
    trail_standing,
    web,
)
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.posture import activity, audit_history, last_root_use, posture, remedies
from crownkeep.console.pages.posture.activity import Activity, RootActivity
from crownkeep.console.pages.posture.remedies import ShownRecommendation
from crownkeep.principals import PrincipalKind
from crownkeep.signin import password_age
from crownkeep.translation import gettext, gettext_noop, ngettext

COUNTS = (
    ("Users", gettext_noop("Users"), "/console/users"),
    ("Groups", gettext_noop("Groups"), "/console/groups"),
    ("Roles", gettext_noop("Roles"), "/console/roles"),
    ("Policies", gettext_noop("Customer managed policies"), "/console/policies?scope=Local"),
    ("Providers", gettext_noop("Identity providers"), "/console/identity-providers"),
    ("MFADevicesInUse", gettext_noop("MFA devices in use"), ""),
)
"""GetAccountSummary's members that are shown, each with its label and its page."""

_STEPS = {
    "administrator": gettext_noop("Make an administrator who isn't root"),
    "password-policy": gettext_noop("Ask for passwords worth the name"),
    "alias": gettext_noop("Give the account a name"),
    "security-contact": gettext_noop("Name people to call"),
    "contacts": gettext_noop("Say whose account it is"),
    "root-mfa": gettext_noop("Give root a second factor"),
    "users-mfa": gettext_noop("Give users a second factor"),
    "root-keys": gettext_noop("Take root's key away"),
    "root-use": gettext_noop("Read what root did"),
}
"""The guide's steps that are recommendations, too, in the guide's order."""


_URGENT = gettext_noop("Urgent")
_HEADINGS = {
    Status.OPEN: gettext_noop("To do"),
    Status.UNKNOWN: gettext_noop("Not known"),
    Status.DONE: gettext_noop("Done"),
    Status.NOT_APPLICABLE: gettext_noop("Nothing to do yet"),
}
"""What recommendations stand under, by how they stand."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the hands-on guide, ticked off from what is so."""

    label: str
    is_done: bool
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One row of the picture of the last days."""

    label: str
    sentence: str
    found: Activity | Refused

    @property
    def bars(self) -> Mapping[str, str]:
        """The days as SVG path data."""
        return {} if isinstance(self.found, Refused) else activity.drawn(self.found)

    @property
    def counts(self) -> Mapping[int, int] | None:
        """How often on which day, counted back from today; None where it can't be told."""
        return None if isinstance(self.found, Refused) else self.found.days


async def dashboard(request: Request) -> Response:
    """Show who is signed in and how the account stands."""
    session, here = web.signed_in(request), web.of(request)
    (identity, found, used, failed, settings, standing), organization, history, sealed = await asyncio.gather(
        asyncio.gather(
            web.call(request, "sts", "GetCallerIdentity"),
            posture.look(request),
            activity.of_root(request),
            activity.of_failed_sign_ins(request),
            calls.ask(request, "account-security", "GetSignInSettings"),
            trail_standing.ask(request),
        ),
        parts.ask(request, "DescribeOrganization", service="organizations"),
        audit_history.ask(request),
        parts.ask(request, "GetSeal", service="approvals"),
    )
    needs_mfa = not isinstance(settings, Refused) and bool(settings["UsersNeedMfa"])
    advice = recommendations.of(found, is_root=session.principal.kind is PrincipalKind.ROOT)
    pictures = _pictures(used, failed)
    alias, summary = _alias(request, found), evidence_asked.value(request, found.evidence, questions.SUMMARY)
    return frame.page(
        request,
        "dashboard.html",
        current="/console",
        same=_same(),
        identity=identity,
        expires_at=password_age.expires_soon(here.door, session.person, now=here.now),
        alias=alias,
        addresses=account_names.sign_in_addresses(request, alias if isinstance(alias, str) else ""),
        **_advised(request, advice),
        steps=_steps(advice, found, needs_mfa=needs_mfa),
        summary=summary if isinstance(summary, Refused) else summary["SummaryMap"],
        counts=COUNTS,
        pictures=pictures,
        figures=_figures(pictures, here.now.date()),
        days=activity.DAYS,
        standing=standing,
        history=history,
        organization=organization.one("Organization"),
        sealed=sealed,
    )


def _advised(request: Request, advice: list[Recommendation]) -> dict[str, Any]:
    """Return the recommendations as the page groups them, the next one, how many are done, and whether none can be told."""
    return {
        "groups": _grouped(request, advice),
        "is_powerless": all(each.status is Status.UNKNOWN for each in advice),
        "next": _next(advice),
        "done_count": sum(each.status is Status.DONE for each in advice),
        "applicable_count": sum(each.status is not Status.NOT_APPLICABLE for each in advice),
    }


def _alias(request: Request, found: Posture) -> str | Refused:
    answer = evidence_asked.value(request, found.evidence, questions.ALIASES)
    return answer if isinstance(answer, Refused) else next(iter(answer["AccountAliases"]), "")


def _next(advice: list[Recommendation]) -> str:
    """Return what to do first: the first urgent thing, or else the first that is open."""
    open_ones = [each for each in advice if each.status is Status.OPEN and each.remedy]
    return next((each.slug for each in open_ones if each.is_urgent), next((each.slug for each in open_ones), ""))


def _grouped(request: Request, advice: list[Recommendation]) -> dict[str, list[ShownRecommendation]]:
    """Return recommendations by how urgent they are, in the guide's order; headings without any are left out."""
    found: dict[str, list[ShownRecommendation]] = {heading: [] for heading in _HEADINGS.values()}
    for each in advice:
        heading = _URGENT if each.is_urgent else _HEADINGS[each.status]
        found.setdefault(heading, []).append(remedies.shown(request, each))
    return {heading: found[heading] for heading in (_URGENT, *_HEADINGS.values()) if found.get(heading)}


def _steps(advice: list[Recommendation], found: Posture, *, needs_mfa: bool) -> list[Step]:
    """Return the guide's steps, in its order."""
    stands = {each.slug: each.status is Status.DONE for each in advice}
    steps = [Step(gettext(label), stands[slug], f"#{slug}") for slug, label in _STEPS.items()]
    steps.insert(list(_STEPS).index("root-keys"), Step(gettext("Let nobody in without it"), needs_mfa, "/console/account"))
    has_report = not isinstance(found.credentials, Missing)
    report = Step(gettext("Look at the whole in a credential report"), has_report, report_lines.PATH)
    steps.insert(list(_STEPS).index("root-keys") + 1, report)
    return steps


def _pictures(used: RootActivity | Refused, failed: Activity | Refused) -> list[Picture]:
    return [
        *_of_root(used),
        Picture(gettext("Failed sign-ins"), "" if isinstance(failed, Refused) else _failures(failed), failed),
    ]


def _figures(pictures: Sequence[Picture], today: date) -> list[tuple[date, list[int]]]:
    """Return the figures of the pictures, for the days on which there was anything."""
    counted = [picture.counts for picture in pictures if picture.counts is not None]
    days = sorted({day for each in counted for day, count in each.items() if count})
    return [(today - timedelta(days=day), [each.get(day, 0) for each in counted]) for day in days]


def _of_root(used: RootActivity | Refused) -> list[Picture]:
    if isinstance(used, Refused):
        return [Picture(gettext("Use of root"), "", used)]
    found = [Picture(gettext("Use of root"), _on_days(used.own), used.own)]
    if used.central.days:
        sentence = ngettext(
            "The organization took root on for a task on %(num)s day, which is no use of root's own credentials.",
            "The organization took root on for a task on %(num)s days, which is no use of root's own credentials.",
            len(used.central.days),
        )
        found.append(Picture(gettext("Root taken on centrally"), sentence, used.central))
    return found


def _on_days(used: Activity) -> str:
    if not used.days:
        return gettext("Root was not used in the last %(days)s days.", days=used.seen)
    return gettext("Root was used on %(used)s of the last %(days)s days.", used=len(used.days), days=used.seen)


def _failures(failed: Activity) -> str:
    if not failed.days:
        return gettext("No sign-in failed in the last %(days)s days.", days=failed.seen)
    return ngettext(
        "%(num)s sign-in failed in the last %(days)s days.",
        "%(num)s sign-ins failed in the last %(days)s days.",
        failed.total,
        days=failed.seen,
    )


def _same() -> list[Equivalent]:
    return [
        *(evidence_asked.equivalent(each) for each in (*posture.SINGLE, ADMINISTRATORS)),
        signed_audits.LAST_SIGNED,
        last_root_use.LOOKUP,
        activity.SIGN_INS,
        trail_standing.CALL,
        audit_history.CALL,
        Equivalent("organizations", "DescribeOrganization"),
        Equivalent("approvals", "GetSeal"),
    ]


ROUTES = [Route("/console", dashboard), Route("/console/", dashboard)]
