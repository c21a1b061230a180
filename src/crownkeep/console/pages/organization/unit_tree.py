"""The tree of units: opened along the way to one of them, so that a large organization costs a page no more than a small one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import places


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A root or unit of the tree; only what is on the way to the unit that is shown has its children with it."""

    unit_id: str
    name: str
    is_shown: bool
    children: tuple[TreeNode, ...] = ()
    has_more: bool = False
    """Whether it has more units below it than are listed here."""


@dataclass(frozen=True, slots=True)
class OpenedTree:
    """The tree, opened at one root or unit."""

    root: TreeNode
    shown_id: str
    shown_name: str
    parent_id: str
    """Empty of the root."""
    way: tuple[tuple[str, str], ...]
    """Ids and names from the root down to what the shown one is under."""
    policy_types: tuple[str, ...]
    """The types of policy that are enabled."""
    units: Part
    """The units directly below the shown one."""
    asked: tuple[Part, ...]


async def opened(request: Request, under: str, *, marker: str = "") -> OpenedTree | Part:
    """Return the tree opened at a root or unit, the root for an empty id; the part that was refused where it can't be."""
    roots = await places.ask(request, "ListRoots")
    if roots.refusal is not None:
        return roots
    root = roots.rows("Roots")[0]
    ids = [str(root["Id"])]
    if under and under != ids[0]:
        about = await places.ask(request, "DescribeOrganizationalUnit", OrganizationalUnitId=under)
        if isinstance(about.found, Refused):
            return about
        ids = str(about.one("OrganizationalUnit")["Path"]).strip("/").split("/")[1:]
    # At most five units are above one another, so that these are few questions whatever the organization's size.
    listed = await asyncio.gather(*(_children(request, each, marker if each == ids[-1] else "") for each in ids))
    names = await _names(request, ids, listed, root)
    return OpenedTree(
        _node(ids, names, listed, 0),
        ids[-1],
        names[ids[-1]],
        ids[-2] if len(ids) > 1 else "",
        tuple((each, names[each]) for each in ids[:-1]),
        tuple(each["Type"] for each in root["PolicyTypes"]),
        listed[-1],
        (roots, listed[-1]),
    )


async def _children(request: Request, parent_id: str, marker: str) -> Part:
    return await places.ask(
        request, "ListOrganizationalUnitsForParent", ParentId=parent_id, NextToken=marker, MaxResults=places.MOST
    )


async def _names(request: Request, ids: Sequence[str], listed: Sequence[Part], root: Mapping[str, Any]) -> dict[str, str]:
    names = {str(root["Id"]): str(root["Name"])}
    for part in listed:
        names |= {each["Id"]: each["Name"] for each in part.rows("OrganizationalUnits")}
    # A unit on the way may be on a later page of its siblings.
    unnamed = [each for each in ids if each not in names]
    found = await asyncio.gather(
        *(places.ask(request, "DescribeOrganizationalUnit", OrganizationalUnitId=each) for each in unnamed)
    )
    answer = zip(unnamed, found, strict=True)
    return names | {each: str(part.one("OrganizationalUnit").get("Name", each)) for each, part in answer}


def _node(ids: Sequence[str], names: Mapping[str, str], listed: Sequence[Part], depth: int) -> TreeNode:
    unit_id, part = ids[depth], listed[depth]
    below = [str(each["Id"]) for each in part.rows("OrganizationalUnits")]
    is_last = depth == len(ids) - 1
    if not is_last and ids[depth + 1] not in below:
        below.insert(0, ids[depth + 1])
    children = tuple(
        _node(ids, names, listed, depth + 1) if not is_last and each == ids[depth + 1] else TreeNode(each, names[each], False)
        for each in below
    )
    return TreeNode(unit_id, names[unit_id], is_last, children, bool(part.marker))
