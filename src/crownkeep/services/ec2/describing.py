"""What describing operations share: what they are done to, filters with wildcards, and the dry run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.policy import globs

Described = TypeVar("Described", bound=Mapping[str, object])

MOST_FILTER_VALUES = 200
"""Values of a request's filters, as EC2 has it ("Filtering using the API")."""


def in_region(call: Call, **_: object) -> Target:
    """The target of an action without a resource, with the key that EC2 has for every request."""
    return Target(None, context={"ec2:Region": call.origin.region})


def refuse_dry_run(is_dry_run: bool) -> None:
    """Raise DryRunOperation where the caller only wants to know whether it may."""
    # A handler runs after the decision: whoever comes here was allowed, and EC2 says that by an error.
    if is_dry_run:
        raise errors.DryRunOperation("Request would have succeeded, but DryRun flag is set.")


def filtered(described: Sequence[Described], filters: Sequence[Mapping[str, Any]], members: Mapping[str, str]) -> list[Described]:
    """Return what every filter leaves: for each of them, one of its values matches; `members` are by the filter's name.

    Raises InvalidParameterValue for a filter that the operation doesn't have.
    """
    if sum(len(each.get("Values", ())) for each in filters) > MOST_FILTER_VALUES:
        raise errors.InvalidParameterValue(
            f"The maximum number of filter values specified on a single call is {MOST_FILTER_VALUES}"
        )
    kept = list(described)
    for each in filters:
        name = each.get("Name", "")
        if name not in members:
            raise errors.InvalidParameterValue(f"The filter '{name}' is invalid")
        values = each.get("Values", ())
        kept = [item for item in kept if any(globs.holds(value, str(item.get(members[name], ""))) for value in values)]
    return kept
