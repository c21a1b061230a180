"""Rows are matched with their columns by name, in whatever order either stands, and a mismatch is refused at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, func, select

from crownkeep.storage.database import Database
from crownkeep.storage.identities import instance_profiles, roles, users
from crownkeep.storage.identities.instance_profiles import InstanceProfileRow
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.rows import MismatchedRow, RowInsert, RowQuery, optional_part, part

NOON = datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC)
TABLE = users.table
BOB = UserRow("AIDABOB", "1", "Bob", "bob", "/staff/", NOON, None, None, 1)
IN_ACCOUNT = TABLE.c.account_id == bindparam("account_id")


@dataclass(frozen=True, slots=True)
class TurnedRow:
    """Three columns of a user in another order than the table's, two of them of one type."""

    path: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OneRow:
    """A single column."""

    name: str


@pytest.fixture
def filled(database: Database) -> Database:
    with database.transaction() as db:
        users.add(db, BOB)
    return database


def test_fields_find_their_columns_whatever_the_order(filled: Database):
    turned = RowQuery(TurnedRow, select(TABLE.c.created_at, TABLE.c.name, TABLE.c.path).where(IN_ACCOUNT))
    one = RowQuery(OneRow, select(TABLE.c.name).where(IN_ACCOUNT))

    with filled.snapshot() as db:
        assert TurnedRow("/staff/", "Bob", NOON) == turned.first(db, {"account_id": "1"})
        assert [OneRow("Bob")] == one.all(db, {"account_id": "1"})


def test_a_query_with_several_values_is_read_like_any_other(filled: Database):
    several = RowQuery(
        TurnedRow,
        select(TABLE.c.name, TABLE.c.path, TABLE.c.created_at).where(TABLE.c.name_key.in_(bindparam("keys", expanding=True))),
    )

    with filled.snapshot() as db:
        assert [TurnedRow("/staff/", "Bob", NOON)] == several.all(db, {"keys": ["bob", "eve"]})
        assert several.first(db, {"keys": ["eve"]}) is None


def test_a_field_without_a_column_and_a_column_without_a_field_are_refused_when_they_are_written():
    with pytest.raises(MismatchedRow, match="`TurnedRow` and its columns differ in `created_at`"):
        RowQuery(TurnedRow, select(TABLE.c.name, TABLE.c.path))
    with pytest.raises(MismatchedRow, match="`OneRow` and its columns differ in `path`"):
        RowQuery(OneRow, select(TABLE.c.name, TABLE.c.path))
    with pytest.raises(MismatchedRow, match="`UserRow` and its columns differ in"):
        RowInsert(UserRow, roles.table)
    with pytest.raises(MismatchedRow):
        RowQuery(OneRow, select(func.count()))


def test_a_row_is_kept_by_the_names_of_its_fields(database: Database):
    insert = RowInsert(UserRow, TABLE)
    eve = UserRow("AIDAEVE", "1", "Eve", "eve", "/", NOON, None, NOON, 2)

    with database.transaction() as db:
        insert.run(db, BOB)
        insert.run_each(db, [eve])
        insert.run_each(db, [])

    with database.snapshot() as db:
        assert [BOB, eve] == users.of_account(db, "1")


def test_rows_of_two_tables_are_told_apart_though_their_columns_have_the_same_names(database: Database):
    role = RoleRow("AROA1", "1", "Role", "role", "/r/", NOON, "{}", "", None, 3600)
    filled = InstanceProfileRow("AIPA1", "1", "Full", "full", "/p/", NOON, "AROA1")
    empty = InstanceProfileRow("AIPA2", "1", "None", "none", "/p/", NOON)
    table = instance_profiles.table
    joined = (
        select(roles.table, table)
        .select_from(table.outerjoin(roles.table, roles.table.c.role_id == table.c.role_id))
        .order_by(table.c.name)
    )
    profile_of, role_of = part(InstanceProfileRow, joined, table), optional_part(RoleRow, joined, roles.table)

    with database.transaction() as db:
        roles.add(db, role)
        instance_profiles.add(db, filled)
        instance_profiles.add(db, empty)
        found = [(profile_of(row), role_of(row)) for row in db.execute(joined)]

    assert [(filled, role), (empty, None)] == found
