"""GetAccountAuthorizationDetails: an account's users, groups, roles and policies with what they hold, in few queries a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from crownkeep import arn
from crownkeep.catalogue import managed_policies
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.iam import documents
from crownkeep.services.iam.identities import groups, permissions_boundaries, roles, trust_policies
from crownkeep.services.iam.identities import instance_profiles as profiles
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.policies import attachments as attaching
from crownkeep.services.iam.policies import inline_policies as inlining
from crownkeep.services.iam.policies import managed, sections
from crownkeep.services.iam.policies.sections import Section
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import groups as group_rows
from crownkeep.storage.identities import instance_profiles, memberships, tags, users
from crownkeep.storage.identities import roles as role_rows
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments, inline_policies, policies, policy_versions
from crownkeep.storage.policies.attachments import AttachmentRow
from crownkeep.storage.policies.inline_policies import InlinePolicyRow
from crownkeep.storage.policies.policies import PolicyRow, Usage
from crownkeep.storage.policies.policy_versions import VersionRow

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@iam.operation("GetAccountAuthorizationDetails", resource=registry.everything, mode=Mode.LONG_READ)
def get_account_authorization_details(
    call: Call, *, filter: Sequence[str] = (), max_items: int | None = None, marker: str | None = None
) -> Result:
    """Return everything that decides who may do what in the account: of AWS's policies, those in use."""
    found, more = sections.page(
        call,
        [section for section in _sections(call) if not filter or section.name in filter],
        list_name="GetAccountAuthorizationDetails",
        # A marker stays good where the next call names the same kinds in another order.
        filters=sorted(set(filter)),
        marker=marker,
        max_items=max_items,
    )
    listed_users, listed_groups = found.of("User", UserRow), found.of("Group", GroupRow)
    listed_roles = found.of("Role", RoleRow)
    own, of_aws = found.of("LocalManagedPolicy", PolicyRow), found.of("AWSManagedPolicy", ManagedPolicy)
    owners = [row.user_id for row in listed_users] + [row.group_id for row in listed_groups]
    holding = _Holding(call, owners + [row.role_id for row in listed_roles])
    return {
        "UserDetailList": _describe_users(call, listed_users, holding),
        "GroupDetailList": [_describe_group(row, holding) for row in listed_groups],
        "RoleDetailList": _describe_roles(call, listed_roles, holding),
        "Policies": _describe_policies(call, own, of_aws),
        **more,
    }


def _sections(call: Call) -> list[Section]:
    place = (call.db, call.account_id)
    return [
        Section(
            "User",
            lambda after, limit: users.page(*place, path_prefix="/", after=after, limit=limit),
            lambda row: row.name_key,
        ),
        Section(
            "Group",
            lambda after, limit: group_rows.page(*place, path_prefix="/", after=after, limit=limit),
            lambda row: row.name_key,
        ),
        Section(
            "Role",
            lambda after, limit: role_rows.page(*place, path_prefix="/", after=after, limit=limit),
            lambda row: row.name_key,
        ),
        Section(
            "LocalManagedPolicy",
            lambda after, limit: policies.page(*place, path_prefix="/", usage=Usage.ANY, after=after, limit=limit),
            lambda row: row.name_key,
        ),
        Section(
            "AWSManagedPolicy",
            lambda after, limit: _used_of_aws(call, after, limit),
            lambda policy: policy.name_key,
        ),
    ]


def _used_of_aws(call: Call, after: str, limit: int) -> list[ManagedPolicy]:
    uses = managed.uses_of_aws_managed(call)
    found = (managed_policies.with_arn(each) for each in uses.attachments.keys() | uses.boundaries.keys())
    following = (policy for policy in found if policy is not None and policy.name_key > after)
    return sorted(following, key=lambda policy: policy.name_key)[:limit]


class _Holding:
    """What some entities hold, by unique id: one query for each way of holding."""

    def __init__(self, call: Call, owner_ids: Sequence[str]) -> None:
        place = (call.db, call.account_id, owner_ids)
        self._inline = _grouped(inline_policies.of_owners(*place), lambda row: row.owner_id)
        self._attached = _grouped(attachments.of_owners(*place), lambda row: row.owner_id)

    def inline(self, owner_id: str) -> list[dict[str, object]]:
        """Return an entity's inline policies with their documents."""
        rows: list[InlinePolicyRow] = self._inline[owner_id]
        return [inlining.describe(row) for row in rows]

    def attached(self, owner_id: str) -> list[dict[str, object]]:
        """Return what is attached to an entity."""
        rows: list[AttachmentRow] = self._attached[owner_id]
        return attaching.describe_all(rows)


def _describe_users(call: Call, rows: Sequence[UserRow], holding: _Holding) -> list[dict[str, object]]:
    user_ids = [row.user_id for row in rows]
    tagged = tags.of_resources(call.db, call.account_id, user_ids)
    member_of = memberships.groups_of_users(call.db, call.account_id, user_ids)
    return [
        {
            "Path": row.path,
            "UserName": row.name,
            "UserId": row.user_id,
            "Arn": arn.user(row.account_id, row.path, row.name),
            "CreateDate": row.created_at,
            "UserPolicyList": holding.inline(row.user_id),
            "GroupList": [group.name for group in member_of[row.user_id]],
            "AttachedManagedPolicies": holding.attached(row.user_id),
            **permissions_boundaries.members(row.boundary_arn),
            "Tags": tagging.describe(tagged[row.user_id]),
        }
        for row in rows
    ]


def _describe_group(row: GroupRow, holding: _Holding) -> dict[str, object]:
    return {
        **groups.describe(row),
        "GroupPolicyList": holding.inline(row.group_id),
        "AttachedManagedPolicies": holding.attached(row.group_id),
    }


def _describe_roles(call: Call, rows: Sequence[RoleRow], holding: _Holding) -> list[dict[str, object]]:
    role_ids = [row.role_id for row in rows]
    tagged = tags.of_resources(call.db, call.account_id, role_ids)
    held_by = instance_profiles.of_roles(call.db, call.account_id, role_ids)
    trust = trust_policies.show(call, rows)
    described = []
    for row in rows:
        role = roles.describe(row, trust[row.role_id])
        described.append(
            {
                **role,
                "InstanceProfileList": [profiles.describe(profile, [role]) for profile in held_by[row.role_id]],
                "RolePolicyList": holding.inline(row.role_id),
                "AttachedManagedPolicies": holding.attached(row.role_id),
                **permissions_boundaries.members(row.boundary_arn),
                "Tags": tagging.describe(tagged[row.role_id]),
                "RoleLastUsed": roles.last_used(row),
            }
        )
    return described


def _describe_policies(call: Call, own: Sequence[PolicyRow], of_aws: Sequence[ManagedPolicy]) -> list[dict[str, object]]:
    uses = managed.uses_of(call, [row.arn for row in own] + [policy.arn for policy in of_aws])
    rows = policy_versions.of_policies(call.db, call.account_id, [row.policy_id for row in own])
    versions = _grouped(rows, lambda row: row.policy_id)
    described = []
    for row in own:
        members = managed.describe(row, uses)
        if row.description is not None:
            members["Description"] = row.description
        described.append({**members, "PolicyVersionList": [_describe_version(each, row) for each in versions[row.policy_id]]})
    for policy in of_aws:
        version = managed.describe_version(policy.default_version, policy.updated_at, policy.default_version)
        version_list = [{"Document": documents.encoded(policy.document), **version}]
        described.append({**managed.describe(policy, uses), "PolicyVersionList": version_list})
    return described


def _describe_version(version: VersionRow, policy: PolicyRow) -> dict[str, object]:
    described = managed.describe_version(version.version, version.created_at, policy.default_version)
    return {"Document": documents.encoded(version.document), **described}


def _grouped(rows: Iterable[Value], key: Callable[[Value], Key]) -> defaultdict[Key, list[Value]]:
    found: defaultdict[Key, list[Value]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found
