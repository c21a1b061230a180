"""Roles and groups for a list that people look at: found by a part of the name, and how many belong to each group.

Where a part of the name is sought, no more than `MOST_LOOKED_AT` names are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Integer, String, Table, bindparam, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups, memberships, roles
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.reports import name_search
from crownkeep.storage.rows import RowQuery

Row = TypeVar("Row")


def _listed(make: Callable[..., Row], table: Table, key: Column[str]) -> RowQuery[Row]:
    name = table.c.name_key
    looked_at = (
        select(key.label("id"), name.label("name"))
        .where(
            table.c.account_id == bindparam("account_id", type_=String),
            name > bindparam("after", type_=String),
            begins_with(table.c.path, "prefix"),
        )
        .order_by(name)
        .limit(name_search.MOST_LOOKED_AT)
        .subquery()
    )
    holds = looked_at.c.name.like(bindparam("pattern", type_=String), escape=name_search.ESCAPE)
    found = select(table).join(looked_at, looked_at.c.id == key).where(holds).order_by(name)
    return RowQuery(make, found.limit(bindparam("limit", type_=Integer)))


_roles = _listed(RoleRow, roles.table, roles.table.c.role_id)
_groups = _listed(GroupRow, groups.table, groups.table.c.group_id)
_members = memberships.table
_member_counts = (
    select(_members.c.group_id, func.count())
    .where(
        _members.c.account_id == bindparam("account_id", type_=String),
        _members.c.group_id.in_(bindparam("group_ids", expanding=True)),
    )
    .group_by(_members.c.group_id)
)


def role_page(db: Transaction, account_id: str, *, text: str, path_prefix: str, after: str, limit: int) -> list[RoleRow]:
    """Return up to `limit` roles whose names hold a text, by name, from the one after the key `after`."""
    return _roles.all(db, _values(account_id, text, path_prefix, after, limit))


def group_page(db: Transaction, account_id: str, *, text: str, path_prefix: str, after: str, limit: int) -> list[GroupRow]:
    """Return up to `limit` groups whose names hold a text, by name, from the one after the key `after`."""
    return _groups.all(db, _values(account_id, text, path_prefix, after, limit))


def member_counts(db: Transaction, account_id: str, group_ids: Sequence[str]) -> dict[str, int]:
    """Return how many users these groups have; those without are left out."""
    values = {"account_id": account_id, "group_ids": list(group_ids)}
    return {group: int(count) for group, count in db.execute(_member_counts, values)} if group_ids else {}


def _values(account_id: str, text: str, path_prefix: str, after: str, limit: int) -> dict[str, Any]:
    pattern = name_search.pattern_of(text)
    return {"account_id": account_id, "after": after, "prefix": path_prefix, "pattern": pattern, "limit": limit}
