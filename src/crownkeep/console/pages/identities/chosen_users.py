"""Several users at once: their keys deactivated, added to a group, given a policy or tagged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from crownkeep.console.kit import chosen_acts, parts
from crownkeep.console.kit.chosen_rows import AskedField, ChosenAct, Planned
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import chosen_policies, tabs
from crownkeep.translation import gettext, gettext_noop

_AT_ONCE = 4


async def _keys(request: Request, names: Sequence[str], _: Mapping[str, str]) -> Planned:
    """Deactivate the keys that are active now, whatever a form says of them."""
    asked: list[Part] = []
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        asked += await asyncio.gather(*(parts.ask(request, "ListAccessKeys", UserName=name) for name in some))
    refused = next((part.refusal for part in asked if part.refusal is not None), None)
    keys = [
        {"UserName": name, "AccessKeyId": key["AccessKeyId"]}
        for name, part in zip(names, asked, strict=True)
        for key in part.rows("AccessKeyMetadata")
        if key["Status"] == "Active"
    ]
    holders = {key["UserName"] for key in keys}
    wanted, back = chosen_acts.key_changes(keys)
    return Planned(wanted, back, tuple(name for name in names if name not in holders), refused)


async def _group(_: Request, names: Sequence[str], entered: Mapping[str, str]) -> Planned:
    group = entered["group"]
    pairs = [tabs.membership(group, name) for name in names] if group else []
    return Planned(tuple(adds for adds, _ in pairs), tuple(removes for _, removes in pairs))


def _joined(_: Planned, rows: str, entered: Mapping[str, str]) -> str:
    return gettext(
        "%(chosen)s would be added to the group %(group)s, and get all its permissions at once.",
        chosen=rows,
        group=entered["group"],
    )


async def _groups(request: Request) -> Sequence[str]:
    listed = await parts.ask(request, "ListGroups", MaxItems=1000)
    return [group["GroupName"] for group in listed.rows("Groups")]


ACTS: Mapping[str, ChosenAct] = {
    "keys": ChosenAct(
        gettext_noop("Deactivate access keys"),
        gettext_noop("Deactivate their access keys"),
        gettext_noop("Deactivate"),
        chosen_acts.keys_turned_off,
        _keys,
        nothing=gettext_noop("No active key"),
    ),
    "group": ChosenAct(
        gettext_noop("Add to a group"),
        gettext_noop("Add them to a group"),
        gettext_noop("Add to the group"),
        _joined,
        _group,
        (AskedField("group", gettext_noop("Group name"), 128),),
        gettext_noop("Which group?"),
        _groups,
    ),
    "policy": chosen_policies.attaching(USER),
    "tag": chosen_acts.tagging("TagUser", "UserName"),
}
