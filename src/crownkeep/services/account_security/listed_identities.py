"""Roles and groups for a list that people look at: found by a part of the name, in one of several orders.

What IAM's own lists leave out is told to whoever may get it of all at once from IAM, by the authorization details.
"""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import arn
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.account_security import ordered_lists
from crownkeep.services.account_security.ordered_lists import AskedList
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.identities import groups, roles, tags
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.reports import listed_identities, ordered_names
from crownkeep.storage.reports.ordered_names import ListSearch

_DETAILS = "iam:GetAccountAuthorizationDetails"


def listed_roles(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The roles that a list may name, as ListRoles has it."""
    return Target(arn.role(call.account_id, path_prefix, ""))


def listed_groups(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The groups that a list may name, as ListGroups has it."""
    return Target(arn.group(call.account_id, path_prefix, ""))


@account_security.operation("DescribeRoles", resource=listed_roles, action="iam:ListRoles", mode=Mode.LONG_READ)
def describe_roles(
    call: Call,
    *,
    text: str = "",
    path_prefix: str = "/",
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    include: Sequence[str] = (),
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of roles and, to whoever may see it, their last use and what is asked for of each.

    Raises AccessDenied for an order that would tell what the caller may not know.
    """
    if sort_by == listed_identities.LAST_USED:
        ordered_lists.require(call, _DETAILS)
    asked = AskedList("DescribeRoles", ListSearch(text, path_prefix, sort_by, descending), marker, max_items)
    found, more = ordered_lists.page(call, listed_identities.ROLES, asked)
    by_id = {row.role_id: row for row in roles.with_ids(call.db, call.account_id, found)}
    refused = ordered_lists.refused(call, [_DETAILS])
    told = _Told.of(call, found, [] if refused else include)
    described = []
    for role_id in found:
        row = by_id[role_id]
        used = {"LastUsedDate": row.used_at} if row.used_at is not None and not refused else {}
        described.append({**_role(row), **used, **told.members(role_id)})
    return {"Roles": described, "NotPermitted": sorted(refused), **more}


@account_security.operation("DescribeGroups", resource=listed_groups, action="iam:ListGroups", mode=Mode.LONG_READ)
def describe_groups(
    call: Call,
    *,
    text: str = "",
    path_prefix: str = "/",
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    include: Sequence[str] = (),
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of groups and, to whoever may see it, how many users each has and what is asked for of each.

    Raises AccessDenied for an order that would tell what the caller may not know.
    """
    if sort_by == listed_identities.USERS:
        ordered_lists.require(call, _DETAILS)
    asked = AskedList("DescribeGroups", ListSearch(text, path_prefix, sort_by, descending), marker, max_items)
    found, more = ordered_lists.page(call, listed_identities.GROUPS, asked)
    by_id = {row.group_id: row for row in groups.with_ids(call.db, call.account_id, found)}
    refused = ordered_lists.refused(call, [_DETAILS])
    told = _Told.of(call, found, [] if refused else include)
    counts = {} if refused else listed_identities.member_counts(call.db, call.account_id, found)
    described = []
    for group_id in found:
        users = {} if refused else {"UserCount": counts.get(group_id, 0)}
        described.append({**_group(by_id[group_id]), **users, **told.members(group_id)})
    return {"Groups": described, "NotPermitted": sorted(refused), **more}


def _role(row: RoleRow) -> dict[str, object]:
    described = {} if row.description is None else {"Description": row.description}
    return {
        "RoleName": row.name,
        "RoleId": row.role_id,
        "Path": row.path,
        "Arn": arn.role(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
        "MaxSessionDuration": row.max_session_seconds,
        **described,
    }


def _group(row: GroupRow) -> dict[str, object]:
    return {
        "GroupName": row.name,
        "GroupId": row.group_id,
        "Path": row.path,
        "Arn": arn.group(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
    }


class _Told:
    """What is asked for of the roles or groups of a page, by unique id, each by one query."""

    __slots__ = ("_policies", "_tags")

    def __init__(self, policies: dict[str, int] | None, tagged: dict[str, dict[str, str]] | None) -> None:
        self._policies, self._tags = policies, tagged

    @classmethod
    def of(cls, call: Call, ids: Sequence[str], include: Sequence[str]) -> _Told:
        place = (call.db, call.account_id, ids)
        return cls(
            listed_identities.policy_counts(*place) if "Policies" in include else None,
            tags.of_resources(*place) if "Tags" in include else None,
        )

    def members(self, unique_id: str) -> dict[str, object]:
        counted = {} if self._policies is None else {"PolicyCount": self._policies.get(unique_id, 0)}
        tagged = {} if self._tags is None else {"Tags": ordered_lists.described_tags(self._tags.get(unique_id, {}))}
        return {**counted, **tagged}
