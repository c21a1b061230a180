"""Prepared queries answer what SQLAlchemy answers, on each database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Select, bindparam, delete, insert, select, update

from crownkeep.storage.database import Database, DatabaseFault
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.prepared import Prepared, PreparedChange, PreparedList

NOON = datetime(2026, 11, 24, 12, 0, 0, 5, tzinfo=UTC)
TABLE = users.table
IN_ACCOUNT = TABLE.c.account_id == bindparam("account_id")


@pytest.fixture
def filled(database: Database) -> Database:
    with database.transaction() as db:
        for name in ("Bob", "alice", "ümit", "o'hara"):
            users.add(db, UserRow(f"AIDA{name}", "1", name, name.lower(), "/a_b/", NOON, None, None))
    return database


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (select(TABLE).where(IN_ACCOUNT).order_by(TABLE.c.name_key), {"account_id": "1"}),
        (select(TABLE).where(IN_ACCOUNT, TABLE.c.name_key == bindparam("key")), {"account_id": "1", "key": "o'hara"}),
        (select(TABLE).where(IN_ACCOUNT, TABLE.c.name_key == bindparam("key")), {"account_id": "1", "key": "' OR 1=1 --"}),
        (
            select(TABLE.c.name).where(IN_ACCOUNT, begins_with(TABLE.c.path, "prefix")).order_by(TABLE.c.name_key).limit(2),
            {"account_id": "1", "prefix": "/a_"},
        ),
        (select(TABLE.c.created_at).where(IN_ACCOUNT, TABLE.c.created_at <= bindparam("at")), {"account_id": "1", "at": NOON}),
    ],
)
def test_a_prepared_query_answers_what_sqlalchemy_answers(filled: Database, statement: Select, values: dict) -> None:
    with filled.snapshot() as db:
        expected = [tuple(row) for row in db.execute(statement, values)]

        rows = Prepared(statement).all(db, values)

    assert expected == rows


@pytest.mark.parametrize("names", [[], ["bob"], ["bob", "nobody", "ümit"], ["' OR 1=1 --", "o'hara"], ["x"] * 1_500 + ["alice"]])
def test_a_query_with_a_list_answers_what_sqlalchemy_answers(filled: Database, names: list[str]) -> None:
    statement = select(TABLE).where(IN_ACCOUNT, TABLE.c.name_key.in_(bindparam("names", expanding=True)), TABLE.c.number >= 0)
    query, values = PreparedList(statement.order_by(TABLE.c.name_key)), {"account_id": "1", "names": names}
    with filled.snapshot() as db:
        expected = [tuple(row) for row in db.execute(statement.order_by(TABLE.c.name_key), values)]

        rows = [query.all(db, values), query.all(db, values)]

        assert [expected, expected] == rows
        assert next(iter(expected), None) == query.first(db, values)


def test_a_query_with_moments_in_a_list_answers_what_sqlalchemy_answers(filled: Database) -> None:
    statement = select(TABLE.c.name).where(TABLE.c.created_at.in_(bindparam("at", expanding=True)), IN_ACCOUNT)
    with filled.snapshot() as db:
        rows = PreparedList(statement).all(db, {"at": [NOON, NOON, NOON], "account_id": "1"})

    assert 4 == len(rows)


def test_the_first_row_is_none_where_there_is_none(filled: Database) -> None:
    with filled.snapshot() as db:
        assert Prepared(select(TABLE).where(IN_ACCOUNT)).first(db, {"account_id": "2"}) is None


def test_what_the_database_refuses_is_a_database_fault(database: Database) -> None:
    with pytest.raises(DatabaseFault), database.snapshot() as db:
        Prepared(select(TABLE.c.name.label("x")).where(IN_ACCOUNT).order_by(TABLE.c.name.collate("nowhere"))).all(
            db, {"account_id": "1"}
        )


def test_a_prepared_change_does_what_sqlalchemy_does_and_tells_how_many_rows(database: Database) -> None:
    row = {"user_id": "AIDA1", "account_id": "1", "name": "Bob", "name_key": "bob", "path": "/", "created_at": NOON}
    row |= {"boundary_arn": None, "password_used_at": None, "number": 7}
    renamed = update(TABLE).where(IN_ACCOUNT).values(name=bindparam("new_name"), password_used_at=bindparam("at"))

    with database.transaction() as db:
        added = PreparedChange(insert(TABLE)).run(db, row)
        changed = PreparedChange(renamed).run(db, {"account_id": "1", "new_name": "o'hara", "at": NOON})
        nobody = PreparedChange(renamed).run(db, {"account_id": "2", "new_name": "x", "at": None})
        kept = db.execute(select(TABLE.c.name, TABLE.c.password_used_at, TABLE.c.boundary_arn)).one()
        removed = PreparedChange(delete(TABLE).where(IN_ACCOUNT)).run(db, {"account_id": "1"})

    assert (1, 1, 0, 1) == (added, changed, nobody, removed)
    assert ("o'hara", NOON, None) == tuple(kept)
