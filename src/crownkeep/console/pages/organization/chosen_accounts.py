"""Several accounts at once: moved to a unit, tagged, or given a control policy, and one taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.chosen_rows import AskedField, ChosenAct, Plan, Planned, Suggestion
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext, gettext_noop


def account_of(call: Equivalent) -> str:
    """Name the account that a call is about."""
    named = call.parameters
    return str(named.get("AccountId") or named.get("TargetId") or named.get("ResourceId"))


async def called(request: Request, names: Sequence[str]) -> Mapping[str, str]:
    """Return the names of accounts by their ids; an account that can't be seen is left out."""
    found = await parts.ask(request, "DescribeMembers", service="account-security", AccountIds=list(names))
    return {str(each["AccountId"]): str(each["Name"]) for each in found.rows("Members")}


async def _move(request: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
    """Move the accounts from where they are now, whatever a form says of that."""
    to = entered["unit"]
    if not to:
        return Planned(())
    found = await parts.ask(request, "DescribeMembers", service="account-security", AccountIds=list(names))
    if found.refusal is not None:
        return Planned((), refused=found.refusal)
    parents = {str(each["AccountId"]): str(each["ParentId"]) for each in found.rows("Members")}
    moving = [(each, parents[each]) for each in names if parents.get(each, to) != to]
    wanted, back = (
        tuple(
            places.call("MoveAccount", AccountId=each, SourceParentId=source, DestinationParentId=destination)
            for each, source, destination in way
        )
        for way in (((each, parent, to) for each, parent in moving), ((each, to, parent) for each, parent in moving))
    )
    return Planned(wanted, back, tuple(each for each in names if parents.get(each) == to))


def _moved(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    return gettext(
        "%(chosen)s would be moved to %(unit)s. The policies there bind them at once, and the present ones no longer do.",
        chosen=rows,
        unit=entered["unit"],
    )


async def _units(request: Request) -> Sequence[Suggestion]:
    """Suggest the root and the units directly below it; any other is named by its id, as its page shows it."""
    roots = await places.ask(request, "ListRoots")
    found: list[Suggestion] = []
    for root in roots.rows("Roots"):
        found.append((str(root["Id"]), str(root["Name"])))
        listed = await places.ask(request, "ListOrganizationalUnitsForParent", ParentId=root["Id"], MaxResults=places.MOST)
        found += [(str(each["Id"]), str(each["Name"])) for each in listed.rows("OrganizationalUnits")]
    typed = web.form(request).one("unit").strip()
    if typed.startswith("ou-") and typed not in {each[0] for each in found}:
        unit = (await places.ask(request, "DescribeOrganizationalUnit", OrganizationalUnitId=typed)).one("OrganizationalUnit")
        found += [(typed, str(unit["Name"]))] if unit else []
    return found


async def _tag(_: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
    tag = [{"Key": entered["key"], "Value": entered["value"]}]
    # A tag that replaces another can't be taken back by removing it, so no undo is offered.
    return Planned(tuple(places.call("TagResource", ResourceId=each, Tags=tag) for each in names if entered["key"]))


def _tagged(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    if entered["value"]:
        return gettext(
            "%(chosen)s would get the tag %(tag)s with the value %(tag_value)s, which replaces any value that the tag has now.",
            chosen=rows,
            tag=entered["key"],
            tag_value=entered["value"],
        )
    return gettext(
        "%(chosen)s would get the tag %(tag)s, which replaces any value that the tag has now.", chosen=rows, tag=entered["key"]
    )


def _attachment(operation: str, reverse: str) -> Plan:
    async def plan(_: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
        policy = entered["policy"]
        if not policy:
            return Planned(())
        wanted, back = (
            tuple(places.call(each, PolicyId=policy, TargetId=name) for name in names) for each in (operation, reverse)
        )
        return Planned(wanted, back)

    return plan


def _attached(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    return gettext(
        "The policy %(policy)s would be attached to %(chosen)s. What it denies is refused from their next request on.",
        policy=entered["policy"],
        chosen=rows,
    )


def _detached(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    return gettext(
        "The policy %(policy)s would be detached from %(chosen)s. It denies nothing there any more, unless it is inherited.",
        policy=entered["policy"],
        chosen=rows,
    )


async def _policies(request: Request) -> Sequence[Suggestion]:
    """Suggest the first policies of both types by their names."""
    found = await asyncio.gather(
        *(places.ask(request, "ListPolicies", Filter=kind, MaxResults=places.MOST) for kind in places.KINDS)
    )
    listed = [(str(each["Id"]), str(each["Name"])) for part in found for each in part.rows("Policies")]
    typed = web.form(request).one("policy").strip()
    if typed and typed not in {each[0] for each in listed}:
        policy = (await places.ask(request, "DescribePolicy", PolicyId=typed)).one("Policy")
        listed += [(typed, str(policy["PolicySummary"]["Name"]))] if policy else []
    return listed


_POLICY = (AskedField("policy", gettext_noop("ID of the policy"), 130),)

ACTS: Mapping[str, ChosenAct] = {
    "move": ChosenAct(
        gettext_noop("Move accounts"),
        gettext_noop("Move them to a unit"),
        gettext_noop("Move"),
        _moved,
        _move,
        (AskedField("unit", gettext_noop("ID of the unit"), 68),),
        gettext_noop("To which unit?"),
        _units,
        nothing=gettext_noop("There already"),
    ),
    "tag": ChosenAct(
        gettext_noop("Tag"),
        gettext_noop("Tag them"),
        gettext_noop("Tag"),
        _tagged,
        _tag,
        (AskedField("key", gettext_noop("Key"), 128), AskedField("value", gettext_noop("Value"), 256, is_required=False)),
        gettext_noop("Which tag?"),
    ),
    "attach": ChosenAct(
        gettext_noop("Attach a policy"),
        gettext_noop("Attach a policy to them"),
        gettext_noop("Attach the policy"),
        _attached,
        _attachment("AttachPolicy", "DetachPolicy"),
        _POLICY,
        gettext_noop("Which policy?"),
        _policies,
    ),
    "detach": ChosenAct(
        gettext_noop("Detach a policy"),
        gettext_noop("Detach a policy from them"),
        gettext_noop("Detach the policy"),
        _detached,
        _attachment("DetachPolicy", "AttachPolicy"),
        _POLICY,
        gettext_noop("Which policy?"),
        _policies,
    ),
}
