"""After a fail-over a kept connection may lead to a server that only reads: the work is run again on another one."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from crownkeep.storage.database import Database, DatabaseFault


@pytest.fixture
def database(postgres):
    opened = Database(postgres.database())
    opened.write(lambda db: db.execute(text("CREATE TABLE kept (number INTEGER)")))
    yield opened
    opened.close()


def demote(database: Database) -> None:
    """Let this thread's connection lead to a server that only reads."""
    connection = database.kept("writing")
    connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
    connection.commit()


def test_work_on_a_server_that_only_reads_is_run_again_on_another_connection(database):
    demote(database)

    database.write(lambda db: db.execute(text("INSERT INTO kept VALUES (1)")))

    with database.snapshot() as db:
        assert [1] == list(db.execute(text("SELECT number FROM kept")).scalars())


def test_a_connection_to_a_server_that_only_reads_is_not_kept(database):
    demote(database)

    with pytest.raises(DatabaseFault, match="read-only"), database.transaction() as db:
        db.execute(text("INSERT INTO kept VALUES (1)"))

    with database.transaction() as db:
        db.execute(text("INSERT INTO kept VALUES (2)"))
