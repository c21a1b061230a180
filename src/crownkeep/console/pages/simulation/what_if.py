"""What if: what recorded use a change would have denied, shown before it is made. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.advisor import calls as questions
from crownkeep.advisor import entities, evidence, policy_sets, recorded, what_if
from crownkeep.advisor.entities import Entities
from crownkeep.advisor.evidence import ApiAnswer
from crownkeep.advisor.recorded import UnreadableRecords
from crownkeep.advisor.view import View
from crownkeep.advisor.what_if import HypotheticalChange, WhatIfAnswer
from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.destinations import ours
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.simulation import control_changes
from crownkeep.console.pages.simulation.control_changes import JudgedAccounts
from crownkeep.translation import gettext

PATH = "/console/what-if"
CHANGES = ("delete-key", "remove-policy", "leave-group", "set-boundary", "root-off", *control_changes.CHANGES)
DAYS = 90
_MOST_PAGES = 5
_PAGE = 1000
_ROWS = 50
_NEEDED = {"remove-policy": "policy", "leave-group": "group", "set-boundary": "boundary"}
_FIELDS = ("key", "policy", "principal", "user", "group", "holder", "boundary", "target", "account")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the recorded events say of a change, and how far back they reach."""

    answer: WhatIfAnswer
    reaches_back_to: datetime
    is_complete: bool
    accounts: JudgedAccounts

    @property
    def calls(self) -> int:
        """How many calls would have been denied."""
        return sum(each.count for each in self.answer.denied)

    @property
    def principals(self) -> int:
        """By how many principals."""
        return len({each.principal for each in self.answer.denied})


async def page(request: Request) -> Response:
    """Ask which change is meant, and say what it would have denied."""
    web.signed_in(request)
    chosen = request.query_params.get("change", "")
    given = {name: request.query_params.get(name, "").strip() for name in _FIELDS}
    asked: list[Part] = []
    fault, foreseen = "", None
    if chosen in CHANGES:
        found = await _change(request, chosen, given, asked)
        if isinstance(found, str):
            fault = found
        elif (reach := await control_changes.reach(request, chosen, given, asked)) is None:
            fault = gettext("You can see no account below it that the policy binds or would bind.")
        else:
            foreseen = await _foreseen(request, *found, reach, asked)
    return frame.page(
        request,
        "what_if.html",
        current="/console/simulator",
        same=parts.equivalents(asked) or [Equivalent("trail", "ListRecordedEvents", {"Days": DAYS})],
        chosen=chosen if chosen in CHANGES else "",
        given=given,
        fault=fault,
        foreseen=foreseen,
        refused=[each for each in asked if each.refusal is not None],
        back=ours(request.query_params.get("back", "")),
        days=DAYS,
        rows=_ROWS,
        moment_of=datetime.fromisoformat,
    )


def _too_many() -> str:
    most = f"{_MOST_PAGES * _PAGE:,}"
    return gettext(
        "The account has more than %(most)s users, groups, roles and policies: ask `crownkeep what-if` instead.", most=most
    )


async def _change(
    request: Request, chosen: str, given: Mapping[str, str], asked: list[Part]
) -> tuple[HypotheticalChange, Entities | None] | str:
    """Return the change and what it was made of, or why there is none."""
    if chosen == "delete-key":
        return (what_if.key_deleted(given["key"]), None) if given["key"] else gettext("Name the access key.")
    if chosen == "root-off":
        return what_if.root_off(), None
    if chosen in control_changes.CHANGES:
        control = await control_changes.change(request, chosen, given, asked)
        return control if isinstance(control, str) else (control, None)
    if not given[_NEEDED[chosen]]:
        return (
            gettext("Name the policy, by its ARN or, of an inline one, its name.")
            if chosen != "leave-group"
            else gettext("Name the group.")
        )
    found = await _entities(request, asked)
    if isinstance(found, str):
        return found
    if chosen == "set-boundary":
        document = await _document(request, given["boundary"], asked)
        if not document:
            return gettext(control_changes.UNREADABLE)
        return what_if.boundary_set(given["holder"], document, found), found
    try:
        if chosen == "leave-group":
            return what_if.group_left(given["user"], given["group"], found), found
        return what_if.policy_removed(given["policy"], found, principal_arn=given["principal"]), found
    except ValueError:
        return (
            gettext("Nobody whom you named has this policy.")
            if chosen != "leave-group"
            else gettext("The user gets nothing through this group.")
        )


async def _document(request: Request, arn: str, asked: list[Part]) -> str:
    """Return a managed policy's document, empty where it can't be read."""
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    version = await parts.ask(
        request, "GetPolicyVersion", PolicyArn=arn, VersionId=str(about.one("Policy").get("DefaultVersionId", "v1"))
    )
    asked += [about, version]
    document = unquote(str(version.one("PolicyVersion").get("Document", "")))
    return document if policy_sets.is_readable(document) else ""


async def _entities(request: Request, asked: list[Part]) -> Entities | str:
    """Return who has which policies, by a bounded number of calls; none of them where it is known to be too much."""
    summary = await parts.ask(request, "GetAccountSummary")
    counted = summary.one("SummaryMap")
    if sum(int(counted.get(member, 0)) for member in ("Users", "Groups", "Roles", "Policies")) > _MOST_PAGES * _PAGE:
        return _too_many()
    whole: dict[str, list[Any]] = {}
    marker = ""
    for _ in range(_MOST_PAGES):
        part = await parts.ask(request, "GetAccountAuthorizationDetails", MaxItems=_PAGE, Marker=marker)
        if part.refusal is not None:
            asked.append(part)
            return part.refusal.sentence
        for member in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            whole.setdefault(member, []).extend(part.rows(member))
        marker = part.marker
        if not marker:
            asked.append(part)
            answer = ApiAnswer(questions.AUTHORIZATION, web.of(request).now, evidence.plain(whole))
            account_id = web.signed_in(request).principal.account_id
            return entities.of(View(evidence.of(account_id, answer.at, [answer])))
    return _too_many()


async def _foreseen(
    request: Request, change: HypotheticalChange, found: Entities | None, reach: JudgedAccounts, asked: list[Part]
) -> Foreseen | None:
    listed = [
        await parts.ask(request, "ListRecordedEvents", service="trail", Days=DAYS, AccountId=account_id)
        for account_id in reach.ids or ("",)
    ]
    asked += listed
    replies = [part.found for part in listed if isinstance(part.found, Mapping) and part.refusal is None]
    if len(replies) < len(listed):
        return None
    events = [str(each["CloudTrailEvent"]) for part in listed for each in part.rows("Events")]
    # Thousands of records are read and decided on.
    answer = await web.compute(request, partial(_ask, events, change, found))
    latest = max(reply["ReachesBackTo"] for reply in replies)
    return Foreseen(answer, latest, all(reply["IsComplete"] for reply in replies), reach)


def _ask(events: Sequence[str], change: HypotheticalChange, found: Entities | None) -> WhatIfAnswer:
    readable = []
    for each in events:
        try:
            readable.append(recorded.read(each))
        except UnreadableRecords:
            continue
    return what_if.ask(readable, change, found)


ROUTES = [Route(PATH, page)]
