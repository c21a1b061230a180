"""Roles and groups for a list that people look at: found by a part of the name.

What IAM's own lists leave out is told to whoever may get it of all at once from IAM, by the authorization details.
"""

from __future__ import annotations

from crownkeep import arn
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Target
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.reports import listed_identities

_DETAILS = "iam:GetAccountAuthorizationDetails"


def listed_roles(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The roles that a list may name, as ListRoles has it."""
    return Target(arn.role(call.account_id, path_prefix, ""))


def listed_groups(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The groups that a list may name, as ListGroups has it."""
    return Target(arn.group(call.account_id, path_prefix, ""))


@account_security.operation("DescribeRoles", resource=listed_roles, action="iam:ListRoles")
def describe_roles(
    call: Call, *, text: str = "", path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """Return a page of roles by name and, to whoever may see it, when each was used last."""
    found, more = page_tokens.page(
        call,
        list_name="DescribeRoles",
        filters=(text, path_prefix),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: listed_identities.role_page(
            call.db, call.account_id, text=text, path_prefix=path_prefix, after=after, limit=limit
        ),
        key=lambda row: row.name_key,
    )
    is_told = authorize.allows(call, _DETAILS, registry.EVERYTHING)
    described = []
    for row in found:
        known: dict[str, object] = {
            "RoleName": row.name,
            "RoleId": row.role_id,
            "Path": row.path,
            "Arn": arn.role(row.account_id, row.path, row.name),
            "CreateDate": row.created_at,
            "MaxSessionDuration": row.max_session_seconds,
        }
        known |= {"Description": row.description} if row.description is not None else {}
        described.append(known | ({"LastUsedDate": row.used_at} if is_told and row.used_at is not None else {}))
    return {"Roles": described, "NotPermitted": [] if is_told else [_DETAILS], **more}


@account_security.operation("DescribeGroups", resource=listed_groups, action="iam:ListGroups")
def describe_groups(
    call: Call, *, text: str = "", path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """Return a page of groups by name and, to whoever may see it, how many users each has."""
    found, more = page_tokens.page(
        call,
        list_name="DescribeGroups",
        filters=(text, path_prefix),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: listed_identities.group_page(
            call.db, call.account_id, text=text, path_prefix=path_prefix, after=after, limit=limit
        ),
        key=lambda row: row.name_key,
    )
    is_told = authorize.allows(call, _DETAILS, registry.EVERYTHING)
    counts = listed_identities.member_counts(call.db, call.account_id, [row.group_id for row in found]) if is_told else {}
    described = []
    for row in found:
        known: dict[str, object] = {
            "GroupName": row.name,
            "GroupId": row.group_id,
            "Path": row.path,
            "Arn": arn.group(row.account_id, row.path, row.name),
            "CreateDate": row.created_at,
        }
        described.append(known | ({"UserCount": counts.get(row.group_id, 0)} if is_told else {}))
    return {"Groups": described, "NotPermitted": [] if is_told else [_DETAILS], **more}
