"""Groups in a team: so many of each must approve, beside so many of all. Nobody is in two, or one person could stand for both."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from crownkeep import errors
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import TeamVersionRow

MOST = 5
"""Groups in a team."""


@dataclass(frozen=True, slots=True)
class TeamGroup:
    """People of a team of whom so many must approve, such as those who hold the keys."""

    name: str
    min_approvals: int
    identities: tuple[str, ...]


def of_version(version: TeamVersionRow, members: Sequence[ApproverRow]) -> tuple[TeamGroup, ...]:
    """Return the groups of a version whose approvers are given."""
    people = {each.approver_id: each.identity for each in members}
    return tuple(
        TeamGroup(str(each["name"]), int(each["min_approvals"]), tuple(people[person] for person in each["approvers"]))
        for each in (json.loads(version.groups) if version.groups else [])
    )


def written(groups: Sequence[TeamGroup], members: Sequence[ApproverRow]) -> str | None:
    """Write groups as a version keeps them: by the ids that its approvers have."""
    ids = {each.identity: each.approver_id for each in members}
    kept = [
        {"name": each.name, "min_approvals": each.min_approvals, "approvers": [ids[person] for person in each.identities]}
        for each in groups
    ]
    return json.dumps(kept, sort_keys=True) if kept else None


def shown(version: TeamVersionRow) -> list[dict[str, object]]:
    """Return the groups of a version by names in snake case."""
    return list(json.loads(version.groups)) if version.groups else []


def checked(groups: Sequence[TeamGroup]) -> tuple[TeamGroup, ...]:
    """Return groups that make sense together; raises ValidationException for any others."""
    if len(groups) > MOST:
        raise errors.ServiceValidation(f"a team has {MOST} groups at most")
    if len({each.name for each in groups}) < len(groups):
        raise errors.ServiceValidation("two groups have the same name")
    people = [person for each in groups for person in each.identities]
    if len(set(people)) < len(people):
        raise errors.ServiceValidation("somebody is named twice: nobody is in two groups, or one person could stand for both")
    for each in groups:
        _require_enough(each)
    return tuple(groups)


def staying(groups: Sequence[TeamGroup], identities: Collection[str]) -> tuple[TeamGroup, ...]:
    """Return groups without those who leave the team; raises ValidationException where too few of a group would stay."""
    left = [replace(each, identities=tuple(person for person in each.identities if person in identities)) for each in groups]
    for each in left:
        _require_enough(each)
    return tuple(left)


def _require_enough(group: TeamGroup) -> None:
    if not 1 <= group.min_approvals <= len(group.identities):
        raise errors.ServiceValidation(
            f"the group `{group.name}` would have {len(group.identities)} people, and asks for {group.min_approvals} approvals: "
            "change the groups first, by UpdateTeamRules of the service `approvals`"
        )
