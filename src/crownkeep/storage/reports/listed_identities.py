"""Roles and groups for a list that people look at: their orders, and what belongs to those of a page, each by one query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, String, bindparam, cast, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups, memberships, roles
from crownkeep.storage.policies import attachments
from crownkeep.storage.reports.ordered_names import ListedColumns, OrderedNames

_NEVER = 0

LAST_USED = "LastUsed"
"""The order of roles by their last use."""
USERS = "Users"
"""The order of groups by how many users are in them."""

_roles, _groups, _members, _attached = roles.table, groups.table, memberships.table, attachments.table
_users_of_group = (
    select(func.count())
    .select_from(_members)
    .where(_members.c.account_id == _groups.c.account_id, _members.c.group_id == _groups.c.group_id)
    .correlate(_groups)
    .scalar_subquery()
)

ROLES = OrderedNames(
    ListedColumns(_roles, _roles.c.account_id, _roles.c.role_id, _roles.c.name_key, _roles.c.path),
    {
        "Created": cast(_roles.c.created_at, BigInteger),
        LAST_USED: func.coalesce(cast(_roles.c.used_at, BigInteger), _NEVER),
    },
)
"""The roles of an account, by their unique ids."""
GROUPS = OrderedNames(
    ListedColumns(_groups, _groups.c.account_id, _groups.c.group_id, _groups.c.name_key, _groups.c.path),
    {"Created": cast(_groups.c.created_at, BigInteger), USERS: _users_of_group},
)
"""The groups of an account, by their unique ids."""

_account = bindparam("account_id", type_=String)
_member_counts = (
    select(_members.c.group_id, func.count())
    .where(_members.c.account_id == _account, _members.c.group_id.in_(bindparam("ids", expanding=True)))
    .group_by(_members.c.group_id)
)
_policy_counts = (
    select(_attached.c.owner_id, func.count())
    .where(_attached.c.account_id == _account, _attached.c.owner_id.in_(bindparam("ids", expanding=True)))
    .group_by(_attached.c.owner_id)
)


def member_counts(db: Transaction, account_id: str, group_ids: Sequence[str]) -> dict[str, int]:
    """Return how many users these groups have; those without are left out."""
    values = {"account_id": account_id, "ids": list(group_ids)}
    return {group: int(count) for group, count in db.execute(_member_counts, values)} if group_ids else {}


def policy_counts(db: Transaction, account_id: str, owner_ids: Sequence[str]) -> dict[str, int]:
    """Return how many managed policies are attached to these users, groups or roles; those without are left out."""
    values = {"account_id": account_id, "ids": list(owner_ids)}
    return {owner: int(count) for owner, count in db.execute(_policy_counts, values)} if owner_ids else {}
