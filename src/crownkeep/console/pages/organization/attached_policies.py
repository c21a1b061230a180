"""Policies along the way from the root to a unit or account: attached, inherited, and what they come to together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import policy_summary
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_summary import Row
from crownkeep.console.pages.organization import places

MOST_SUMMED = 12
"""Policies whose documents are read for the plain summary; a way with more says how many are left."""


@dataclass(frozen=True, slots=True)
class AttachedHere:
    """One policy, and where it is attached."""

    policy: Mapping[str, Any]
    at_id: str
    at_name: str
    is_inherited: bool


@dataclass(frozen=True, slots=True)
class SummedPolicy:
    """What one policy denies, and where it comes from."""

    name: str
    policy_id: str
    at_name: str
    denied: tuple[Row, ...]
    allows_all: bool


@dataclass(frozen=True, slots=True)
class PoliciesOnWay:
    """What is attached on a way, by type."""

    by_type: Mapping[str, tuple[AttachedHere, ...]]
    enabled: tuple[str, ...]
    summed: tuple[SummedPolicy, ...]
    left_out: int
    refused: tuple[Part, ...]
    asked: tuple[Part, ...]
    """The questions about the last place on the way, for the commands that a page shows."""
    shown_id: str


async def on_way(request: Request, way: Sequence[tuple[str, str]], enabled: Sequence[str]) -> PoliciesOnWay:
    """Return the policies on a way of ids and names; it has at most seven places."""
    types = [each for each in places.KINDS if each in enabled]
    wanted = [(kind, entity_id, name) for kind in types for entity_id, name in way]
    found = await asyncio.gather(
        *(
            places.ask(request, "ListPoliciesForTarget", TargetId=each, Filter=kind, MaxResults=places.MOST)
            for kind, each, _ in wanted
        )
    )
    last = way[-1][0]
    by_type: dict[str, tuple[AttachedHere, ...]] = dict.fromkeys(types, ())
    for (kind, entity_id, name), part in zip(wanted, found, strict=True):
        by_type[kind] += tuple(AttachedHere(each, entity_id, name, entity_id != last) for each in part.rows("Policies"))
    summed, left_out = await _summed(request, [each for kind in types for each in by_type[kind]])
    return PoliciesOnWay(
        by_type,
        tuple(types),
        summed,
        left_out,
        tuple(part for part in found if part.refusal is not None)[:1],
        tuple(part for (_, entity_id, _), part in zip(wanted, found, strict=True) if entity_id == last),
        last,
    )


async def _summed(request: Request, attached: Sequence[AttachedHere]) -> tuple[tuple[SummedPolicy, ...], int]:
    """Read the documents of policies that aren't AWS's own, each once."""
    named = {each.policy["Id"]: each for each in reversed(attached) if each.policy["Id"] not in places.FULL_ACCESS}
    chosen = list(named.values())[::-1]
    read = await asyncio.gather(
        *(places.ask(request, "DescribePolicy", PolicyId=each.policy["Id"]) for each in chosen[:MOST_SUMMED])
    )
    answer = [
        summed(each.policy, each.at_name, str(part.one("Policy").get("Content", "")))
        for each, part in zip(chosen, read, strict=False)
    ]
    return tuple(answer), max(0, len(chosen) - MOST_SUMMED)


def summed(policy: Mapping[str, Any], at_name: str, content: str) -> SummedPolicy:
    """Return what a policy's document denies."""
    summary = policy_summary.summarize(content) if content else None
    denied = summary.denied if summary else ()
    allows_all = summary is not None and any(not row.prefix and "*" in row.resources for row in summary.allowed)
    return SummedPolicy(policy["Name"], policy["Id"], at_name, denied, allows_all)
