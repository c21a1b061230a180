"""The schema's history leads to the tables that the code knows, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, inspect, text

from crownkeep.storage import migrate
from crownkeep.storage.database import Database
from crownkeep.storage.migrate import NewerDatabase
from crownkeep.storage.schema import metadata


@pytest.fixture
def empty(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/empty.db" if database_kind == "sqlite" else request.getfixturevalue("postgres").database()
    opened = Database(url)
    yield opened
    opened.close()


def test_the_steps_lead_to_the_tables_of_the_code(database: Database) -> None:
    with database.snapshot() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)

    assert [] == differences


def test_a_database_that_is_up_to_date_is_left_alone(database: Database) -> None:
    migrate.upgrade(database)

    with database.snapshot() as db:
        assert migrate.newest() == db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def test_a_server_killed_between_two_steps_leaves_a_database_without_any(empty: Database) -> None:
    def die(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE organizations" in statement:
            raise KeyboardInterrupt

    event.listen(empty.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(empty)
    event.remove(empty.engine, "before_cursor_execute", die)

    with empty.snapshot() as db:
        assert [] == inspect(db).get_table_names()
    migrate.upgrade(empty)
    with empty.snapshot() as db:
        assert migrate.newest() == db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerDatabase, match="install the newer version"):
        migrate.upgrade(database)
