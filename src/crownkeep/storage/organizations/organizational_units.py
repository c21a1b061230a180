"""Organizational units: the tree between an organization's root and its accounts, each name once under a parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, Name, OrganizationId, metadata
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.rows import RowInsert, RowQuery

# A letter in lower case can be longer than in upper case.
_NameKey = String(384).with_variant(String(384, collation="C"), "postgresql")

table = Table(
    "organizational_units",
    metadata,
    Column("unit_id", OrganizationId, nullable=False),
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("parent_id", OrganizationId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", _NameKey, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("organization_id", "unit_id"),
    UniqueConstraint("organization_id", "parent_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One organizational unit. `account_id` is the management account, `name_key` the name in lower case."""

    unit_id: str
    organization_id: str
    account_id: str
    parent_id: str
    """The root (`r-...`) or the unit (`ou-...`) above."""
    name: str
    name_key: str
    created_at: datetime


_in_organization = table.c.organization_id == bindparam("organization_id")
_by_id = RowQuery(UnitRow, select(table).where(_in_organization, table.c.unit_id == bindparam("unit_id")))
_under = (_in_organization, table.c.parent_id == bindparam("parent_id"))
_named = RowQuery(UnitRow, select(table).where(*_under, table.c.name_key == bindparam("name_key")))
_page = RowQuery(
    UnitRow,
    select(table).where(*_under, table.c.name_key > bindparam("after")).order_by(table.c.name_key).limit(bindparam("limit")),
)
_page_of_ids = (
    select(table.c.unit_id)
    .where(*_under, table.c.unit_id > bindparam("after"))
    .order_by(table.c.unit_id)
    .limit(bindparam("limit"))
)
_count = select(func.count()).select_from(table).where(_in_organization)
_has_children = select(table.c.unit_id).where(*_under).limit(1)
_this = (table.c.organization_id == bindparam("of_organization"), table.c.unit_id == bindparam("of_unit"))
_rename = update(table).where(*_this).values(name=bindparam("new_name"), name_key=bindparam("new_name_key"))
_remove = delete(table).where(*_this)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))

_place = select(
    organization_accounts.table.c.account_id.label("start_id"),
    organization_accounts.table.c.organization_id,
    organization_accounts.table.c.parent_id.label("above_id"),
    literal(0).label("height"),
).where(organization_accounts.table.c.account_id == bindparam("account_id"))
_starts = select(
    table.c.unit_id.label("start_id"),
    table.c.organization_id,
    table.c.parent_id.label("above_id"),
    literal(0).label("height"),
).where(_in_organization, table.c.unit_id.in_(bindparam("unit_ids", expanding=True)))
_insert = RowInsert(UnitRow, table)


def _upwards(start: Select[*tuple[Any, ...]]) -> Select[str, str]:
    climbed = start.cte("climbed", recursive=True)
    climbed = climbed.union_all(
        select(climbed.c.start_id, table.c.organization_id, table.c.parent_id, climbed.c.height + 1).where(
            table.c.organization_id == climbed.c.organization_id, table.c.unit_id == climbed.c.above_id
        )
    )
    return select(climbed.c.start_id, climbed.c.above_id).order_by(climbed.c.height.desc())


_above_account = _upwards(_place)
_above_units = _upwards(_starts)


def ancestry(db: Transaction, account_id: str) -> list[str]:
    """Return the way from the root down to an account, itself at the end; empty where it is in no organization."""
    above: list[str] = [row.above_id for row in db.execute(_above_account, {"account_id": account_id})]
    return [*above, account_id] if above else []


def way_to(db: Transaction, organization_id: str, entity_id: str) -> list[str]:
    """Return the way from the root down to a unit, itself at the end; the root's own way is the root."""
    return ways_to(db, organization_id, [entity_id])[entity_id]


def ways_to(db: Transaction, organization_id: str, entity_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the way from the root down to each of these units, by id and in one query; the root's own way is the root."""
    wanted = list(dict.fromkeys(entity_ids))
    ways: dict[str, list[str]] = {entity_id: [] for entity_id in wanted}
    if wanted:
        for start_id, above_id in db.execute(_above_units, {"organization_id": organization_id, "unit_ids": wanted}):
            ways[start_id].append(above_id)
    return {entity_id: [*way, entity_id] for entity_id, way in ways.items()}


def with_id(db: Transaction, organization_id: str, unit_id: str) -> UnitRow | None:
    """Return the unit of this organization with this id."""
    return _by_id.first(db, {"organization_id": organization_id, "unit_id": unit_id})


def named(db: Transaction, organization_id: str, parent_id: str, name: str) -> UnitRow | None:
    """Return the unit directly under a parent that has this name, whatever its letters' case."""
    values = {"organization_id": organization_id, "parent_id": parent_id, "name_key": name.lower()}
    return _named.first(db, values)


def page(db: Transaction, organization_id: str, parent_id: str, *, after: str, limit: int) -> list[UnitRow]:
    """Return up to `limit` units directly under a parent in the order of their names, from the one after the key `after`."""
    values = {"organization_id": organization_id, "parent_id": parent_id, "after": after, "limit": limit}
    return _page.all(db, values)


def page_of_ids(db: Transaction, organization_id: str, parent_id: str, *, after: str, limit: int) -> list[str]:
    """Return up to `limit` ids of units directly under a parent, in their order, from the one after `after`."""
    values = {"organization_id": organization_id, "parent_id": parent_id, "after": after, "limit": limit}
    return list(db.execute(_page_of_ids, values).scalars())


def count(db: Transaction, organization_id: str) -> int:
    """Return how many units an organization has."""
    return int(db.execute(_count, {"organization_id": organization_id}).scalar_one())


def has_children(db: Transaction, organization_id: str, parent_id: str) -> bool:
    """Tell whether any unit is directly under a root or unit."""
    return db.execute(_has_children, {"organization_id": organization_id, "parent_id": parent_id}).first() is not None


def add(db: Transaction, row: UnitRow) -> None:
    """Keep a new unit."""
    _insert.run(db, row)


def rename(db: Transaction, organization_id: str, unit_id: str, name: str) -> None:
    """Give a unit another name."""
    values = {"of_organization": organization_id, "of_unit": unit_id, "new_name": name, "new_name_key": name.lower()}
    db.execute(_rename, values)


def remove(db: Transaction, organization_id: str, unit_id: str) -> None:
    """Forget a unit's own row."""
    db.execute(_remove, {"of_organization": organization_id, "of_unit": unit_id})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every unit of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
