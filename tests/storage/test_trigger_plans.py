"""What the trail's triggers ask of each record that goes costs the same however many accounts were purged before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crownkeep.storage import migrate
from crownkeep.storage.database import Database

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
