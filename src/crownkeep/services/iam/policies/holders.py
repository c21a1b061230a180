"""Who can hold permissions: users, groups and roles, told apart by kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from crownkeep.domain.quotas import Quota
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import groups, roles, users
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one entity of a kind may hold."""

    attached_policies: Quota
    attached_policies_name: str
    """What AWS calls the quota when it is exceeded."""
    inline_policies_size: Quota
    """Characters of all inline policies together, without white space."""


QUOTAS = {
    OwnerKind.USER: Quotas(quotas.ATTACHED_POLICIES_PER_USER, "PoliciesPerUser", quotas.USER_POLICY_SIZE),
    OwnerKind.GROUP: Quotas(quotas.ATTACHED_POLICIES_PER_GROUP, "PoliciesPerGroup", quotas.GROUP_POLICY_SIZE),
    OwnerKind.ROLE: Quotas(quotas.ATTACHED_POLICIES_PER_ROLE, "PoliciesPerRole", quotas.ROLE_POLICY_SIZE),
}


@dataclass(frozen=True, slots=True)
class Holder:
    """A user, group or role that policies are attached to or put into."""

    kind: OwnerKind
    owner_id: str
    name: str
    resource_type: str
    """What LookupEvents calls its kind."""

    @property
    def quotas(self) -> Quotas:
        """What it may hold."""
        return QUOTAS[self.kind]


def user(call: Call, user_name: str) -> Holder:
    """Return the user with this name; raises NoSuchEntity."""
    row = users.targeted(call, user_name)
    return Holder(OwnerKind.USER, row.user_id, row.name, users.RESOURCE_TYPE)


def group(call: Call, group_name: str) -> Holder:
    """Return the group with this name; raises NoSuchEntity."""
    row = groups.targeted(call, group_name)
    return Holder(OwnerKind.GROUP, row.group_id, row.name, groups.RESOURCE_TYPE)


def role(call: Call, role_name: str) -> Holder:
    """Return the role with this name; raises NoSuchEntity."""
    return _of_role(roles.targeted(call, role_name))


def changeable_role(call: Call, role_name: str) -> Holder:
    """Return the role with this name as a holder that a call changes; a service's own role is refused."""
    return _of_role(roles.changeable(roles.targeted(call, role_name)))


def _of_role(row: RoleRow) -> Holder:
    return Holder(OwnerKind.ROLE, row.role_id, row.name, roles.RESOURCE_TYPE)


def with_policy_arn(named: Callable[..., Target]) -> Callable[..., Target]:
    """Return a `resource` that names the same entity and says which policy is attached or detached (iam:PolicyARN)."""

    def target(call: Call, *, policy_arn: str, **arguments: object) -> Target:
        found = named(call, **arguments)
        return replace(found, context={**found.context, "iam:PolicyARN": policy_arn})

    return target
