"""Changes of what control policies bind an account: what each is made of, and whose recorded calls it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.advisor import policy_sets, what_if
from crownkeep.advisor.what_if import ControlLevel, HypotheticalChange
from crownkeep.console.kit import parts, web
from crownkeep.console.kit.parts import Part
from crownkeep.translation import gettext, gettext_noop

CHANGES = ("attach-scp", "detach-scp", "move-account")
_MOST_ACCOUNTS, _MOST_PLACES = 10, 20
"""Of what lies below a root or unit: each account's events may take two seconds to read."""
UNREADABLE = gettext_noop("The policy can't be read.")
_UNREADABLE_LEVEL = gettext_noop("You can't read all the policies that are attached there.")
_DETACHED, _MOVED = gettext_noop("The control policy is detached"), gettext_noop("The account is moved")
_KIND = "SERVICE_CONTROL_POLICY"


@dataclass(frozen=True, slots=True)
class JudgedAccounts:
    """The accounts whose recorded events are looked at; empty for one's own alone."""

    ids: tuple[str, ...] = ()
    are_all: bool = True


async def reach(request: Request, chosen: str, given: Mapping[str, str], asked: list[Part]) -> JudgedAccounts | None:
    """Return the accounts that a change would reach: the target, or what is below a root or unit, some at most; None for none."""
    own = web.signed_in(request).principal.account_id
    if chosen not in CHANGES or given["target"] == own:
        return JudgedAccounts()
    if chosen == "move-account":
        return JudgedAccounts((given["account"],))
    if given["target"].isdigit():
        return JudgedAccounts((given["target"],))
    below: list[str] = []
    places, are_all = [given["target"]], True
    for place in places:
        inside = {
            kind: await parts.ask(request, "ListChildren", service="organizations", ParentId=place, ChildType=kind)
            for kind in ("ACCOUNT", "ORGANIZATIONAL_UNIT")
        }
        asked += inside.values()
        are_all = are_all and not any(each.marker or each.refusal is not None for each in inside.values())
        # The control policies of an organization don't bind the account that manages it.
        below += [str(each["Id"]) for each in inside["ACCOUNT"].rows("Children") if each["Id"] != own]
        places += [str(each["Id"]) for each in inside["ORGANIZATIONAL_UNIT"].rows("Children")]
        if len(below) > _MOST_ACCOUNTS or len(places) > _MOST_PLACES:
            are_all = False
            break
    return JudgedAccounts(tuple(below[:_MOST_ACCOUNTS]), are_all) if below else None


async def change(request: Request, chosen: str, given: Mapping[str, str], asked: list[Part]) -> HypotheticalChange | str:
    """Return a change of control policies, or why there is none."""
    if chosen == "move-account":
        return await _move(request, given, asked)
    policy = await _ask(request, asked, "DescribePolicy", PolicyId=given["policy"])
    document = str(policy.one("Policy").get("Content", ""))
    if not policy_sets.is_readable(document):
        return gettext(UNREADABLE)
    if policy.one("Policy")["PolicySummary"]["Type"] != _KIND:
        return gettext("Only service control policies can be tried: records don't say what a resource control policy looked at.")
    manager = web.signed_in(request).principal.account_id
    if chosen == "attach-scp":
        return what_if.scp_attached(document, management_account=manager)
    before = await _level(request, given["target"], asked)
    if before is None:
        return gettext(_UNREADABLE_LEVEL)
    if given["policy"] not in before:
        return gettext("The policy is not attached there.")
    after = tuple(text for policy_id, text in before.items() if policy_id != given["policy"])
    level = ControlLevel(after, tuple(before.values()))
    return what_if.levels_changed(_DETACHED, [level], management_account=manager)


async def _move(request: Request, given: Mapping[str, str], asked: list[Part]) -> HypotheticalChange | str:
    about, unit = await asyncio.gather(
        _ask(request, asked, "DescribeAccount", AccountId=given["account"]), _way(request, given["target"], asked)
    )
    paths = about.one("Account").get("Paths") or ()
    if not paths or not unit:
        return gettext("The account or the unit can't be seen.")
    here = _ids(str(paths[0]))[:-1]
    added = [each for each in unit if each not in here]
    found = await asyncio.gather(*(_level(request, each, asked) for each in added))
    if None in found:
        return gettext(_UNREADABLE_LEVEL)
    # While this type of policy is enabled, every place has one: where there is none, nothing is denied.
    levels = [ControlLevel(tuple(each.values())) for each in found if each]
    manager = web.signed_in(request).principal.account_id
    return what_if.levels_changed(_MOVED, levels, management_account=manager)


async def _way(request: Request, target: str, asked: list[Part]) -> Sequence[str]:
    """Return the ids from the root down to a root or unit; empty where it can't be seen."""
    if target.startswith("r-"):
        return (target,)
    unit = await _ask(request, asked, "DescribeOrganizationalUnit", OrganizationalUnitId=target)
    return _ids(str(unit.one("OrganizationalUnit").get("Path", "")))


def _ids(path: str) -> Sequence[str]:
    # A path begins with the organization, which is no place that policies are attached to.
    return path.strip("/").split("/")[1:]


async def _level(request: Request, target: str, asked: list[Part]) -> dict[str, str] | None:
    """Return the documents of the service control policies attached to a place by their ids; None where one is hidden."""
    listed = await _ask(request, asked, "ListPoliciesForTarget", TargetId=target, Filter=_KIND)
    if listed.refusal is not None or listed.marker:
        return None
    ids = [str(each["Id"]) for each in listed.rows("Policies")]
    read = await asyncio.gather(*(_ask(request, asked, "DescribePolicy", PolicyId=each) for each in ids))
    found = {each: str(part.one("Policy").get("Content", "")) for each, part in zip(ids, read, strict=True)}
    return found if all(policy_sets.is_readable(each) for each in found.values()) else None


async def _ask(request: Request, asked: list[Part], operation: str, **parameters: object) -> Part:
    part = await parts.ask(request, operation, service="organizations", **parameters)
    asked.append(part)
    return part
