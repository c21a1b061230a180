"""Which entities hold a managed policy: those it is attached to, those whose boundary it is, kind by kind and by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, select, union_all

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups, roles, users
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.policies import Usage
from crownkeep.storage.rows import RowQuery


@dataclass(frozen=True, slots=True)
class PolicyHolderRow:
    """An entity that a policy is attached to or bounds. `name_key` is the name in lower case."""

    owner_id: str
    name: str
    name_key: str


@dataclass(frozen=True, slots=True)
class _Entities:
    """A kind of entity as its table has it; groups have no boundary."""

    table: Table
    unique_id: Column[str]
    boundary_arn: Column[str] | None = None


_ENTITIES = {
    OwnerKind.USER: _Entities(users.table, users.table.c.user_id, users.table.c.boundary_arn),
    OwnerKind.GROUP: _Entities(groups.table, groups.table.c.group_id),
    OwnerKind.ROLE: _Entities(roles.table, roles.table.c.role_id, roles.table.c.boundary_arn),
}


def page(
    db: Transaction, account_id: str, policy_arn: str, *, kind: OwnerKind, usage: Usage, path_prefix: str, after: str, limit: int
) -> list[PolicyHolderRow]:
    """Return up to `limit` entities of a kind that use the policy in this way, by name, from the one after the key `after`."""
    statement = _pages.get((kind, usage))
    if statement is None:
        return []
    values = {
        "account_id": account_id,
        "policy_arn": policy_arn,
        "kind": kind.value,
        "prefix": path_prefix,
        "after": after,
        "limit": limit,
    }
    return statement.all(db, values)


def _page(kind: OwnerKind, usage: Usage) -> Select[*tuple[Any, ...]] | None:
    entities = _ENTITIES[kind]
    table = entities.table
    # Beginning with the few that hold the policy, not with all entities there are.
    holding = []
    if usage is not Usage.BOUNDARY:
        holding.append(_attached())
    if usage is not Usage.ATTACHED and entities.boundary_arn is not None:
        holding.append(_bounded(entities.unique_id, entities.boundary_arn, table.c.account_id))
    if not holding:
        return None
    return (
        select(entities.unique_id.label("owner_id"), table.c.name, table.c.name_key)
        .where(
            table.c.account_id == bindparam("account_id"),
            entities.unique_id.in_(union_all(*holding)),
            table.c.name_key > bindparam("after"),
            begins_with(table.c.path, "prefix"),
        )
        .order_by(table.c.name_key)
        .limit(bindparam("limit"))
    )


def _attached() -> Select[*tuple[Any, ...]]:
    table = attachments.table
    return select(table.c.owner_id).where(
        table.c.account_id == bindparam("account_id"),
        table.c.policy_arn == bindparam("policy_arn"),
        table.c.owner_kind == bindparam("kind"),
    )


def _bounded(unique_id: Column[str], boundary_arn: Column[str], account_id: Column[str]) -> Select[*tuple[Any, ...]]:
    alias = unique_id.table.alias("bounded")
    return select(alias.c[unique_id.name]).where(
        alias.c[account_id.name] == bindparam("account_id"), alias.c[boundary_arn.name] == bindparam("policy_arn")
    )


_pages = {
    (kind, usage): RowQuery(PolicyHolderRow, statement)
    for kind in _ENTITIES
    for usage in (Usage.ATTACHED, Usage.BOUNDARY, Usage.EITHER)
    if (statement := _page(kind, usage)) is not None
}
