"""Managed policies as several pages name and find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import parts
from crownkeep.console.kit.parts import Part

FOLDER = "/console/policies"
MOST_FOUND = 200
_AT_ONCE = 1000
_MOST_ASKED = 12


def page(arn: str, tab: str = "") -> str:
    """Return the address of one policy's page."""
    return parts.address(f"{FOLDER}/one", arn=arn, tab=tab)


async def containing(request: Request, text: str, **limits: Any) -> Part:
    """Return the policies whose names hold a text, without regard to case; IAM itself looks for paths only."""
    found: list[Mapping[str, Any]] = []
    marker = ""
    for _ in range(_MOST_ASKED):
        listed = await parts.ask(request, "ListPolicies", **limits, Marker=marker, MaxItems=_AT_ONCE)
        if listed.refusal is not None:
            return listed
        found += [each for each in listed.rows("Policies") if text.lower() in each["PolicyName"].lower()]
        marker = listed.marker
        if not marker or len(found) >= MOST_FOUND:
            break
    # Names that begin with the text come first; the sort is stable, so IAM's order stays among them and among the others.
    found.sort(key=lambda each: not each["PolicyName"].lower().startswith(text.lower()))
    return Part(listed.call, {"Policies": found[:MOST_FOUND], "IsTruncated": "yes" if len(found) > MOST_FOUND or marker else ""})
