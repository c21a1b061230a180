"""What the trail's triggers cost: the same however many accounts were purged before, and no copies of pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from crownkeep.storage import additions, migrate
from crownkeep.storage.database import Database, run_plainly
from crownkeep.storage.trail import events, leaves

INDEXES = {
    "events_never_goes": "ix_trail_withholdings_account_id_last_event_id (account_id=? AND last_event_id>?)",
    "event_resources_never_goes": "ix_trail_withholdings_account_id_last_event_id (account_id=? AND last_event_id>?)",
    "trail_pending_never_goes": "(event_id=?)",
}


@pytest.mark.parametrize(("trigger", "index"), INDEXES.items())
def test_purging_an_account_reads_no_other_accounts_withholdings(tmp_path: Path, trigger: str, index: str):
    database = Database(f"sqlite:///{tmp_path}/crownkeep.db")
    migrate.upgrade(database)

    with database.snapshot() as db:
        made = str(db.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (trigger,)).scalar())
        condition = re.search(r"WHEN NOT (EXISTS \(.*\)) BEGIN", made)
        assert condition is not None, made
        asked = re.sub(r"OLD\.\w+", "?", condition[1])
        values = ("",) * asked.count("?")
        steps = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT {asked}", values)]
    database.close()

    assert [] == [step for step in steps if step.startswith("SCAN ") and step != "SCAN CONSTANT ROW"], steps
    assert any(step.endswith(index) for step in steps), steps


def test_adding_to_the_trail_copies_no_page_beforehand(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/crownkeep.db")
    migrate.upgrade(database)

    halts: set[int] = set()
    with database.snapshot() as db:
        for statement in (events._INSERT, leaves._APPEND):
            plan = run_plainly(db, f"EXPLAIN {additions.as_addition(statement)}", (None,) * statement.count("?")).fetchall()
            halts |= {row[3] for row in plan if row[1] == "Halt" and row[2]}
    database.close()

    # 3 is SQLite's OE_Fail: an error leaves the statement where it is, so nothing is kept to undo it with.
    assert {3} == halts


def test_a_record_that_is_refused_to_be_replaced_stays_as_it_was(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/crownkeep.db")
    migrate.upgrade(database)
    values = ["111122223333", b"\1" * 16, 1, "iam.amazonaws.com", "GetUser", "true", "bob", "AKIAX", b"kept", None]
    with database.transaction() as db:
        run_plainly(db, events._INSERT, values)

    with database.transaction() as db:
        values[8] = b"forged"
        # Caught in the transaction, which commits: what an INSERT that fails had done before stays.
        with pytest.raises(DBAPIError, match="append-only"):
            run_plainly(db, events._INSERT.replace("INSERT", "INSERT OR REPLACE"), values)

    with database.snapshot() as db:
        assert [(b"kept",)] == run_plainly(db, "SELECT body FROM events").fetchall()
    database.close()
