"""What managed policies grant that are about to be given to somebody, as far as they may be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from crownkeep.console.kit import parts, policy_summary
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.kit.policy_summary import Summary

MOST_SUMMED = 10
"""Policies of a new user or role that are summed up; the calls name them all."""


@dataclass(frozen=True, slots=True)
class ChosenPolicy:
    """One policy that was chosen, and what it grants as far as it may be read."""

    arn: str
    name: str
    asked: tuple[Part, ...]
    summary: Summary | None
    is_boundary: bool = False


async def chosen(request: Request, arn: str, *, is_boundary: bool = False) -> ChosenPolicy:
    """Return a policy with the summary of the version that counts."""
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    version = str(about.one("Policy").get("DefaultVersionId", ""))
    if not version:
        return ChosenPolicy(arn, arn.rpartition("/")[2], (about,), None, is_boundary)
    found = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    document = parts.readable(str(found.one("PolicyVersion").get("Document", "")))
    summary = policy_summary.summarize(document) if document else None
    return ChosenPolicy(arn, str(about.one("Policy")["PolicyName"]), (about, found), summary, is_boundary)


async def of_calls(request: Request, calls: Sequence[Equivalent]) -> list[ChosenPolicy]:
    """Return the policies that some calls attach or set as the boundary, the boundary first."""
    bounds = [str(each.parameters["PermissionsBoundary"]) for each in calls if each.parameters.get("PermissionsBoundary")]
    attached = [str(each.parameters["PolicyArn"]) for each in calls if each.operation.startswith("Attach")]
    wanted = dict.fromkeys([*((arn, True) for arn in bounds), *((arn, False) for arn in attached)])
    return list(await asyncio.gather(*(chosen(request, arn, is_boundary=bound) for arn, bound in list(wanted)[:MOST_SUMMED])))
