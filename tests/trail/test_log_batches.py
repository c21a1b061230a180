"""Batches of log files: what waits is put into files, and what somebody has spoilt holds up nothing else."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update
from tests.trail import tampering

from crownkeep import ids
from crownkeep.audit import trail_scope
from crownkeep.audit.trail_scope import TrailScope
from crownkeep.storage import migrate
from crownkeep.storage.database import Database
from crownkeep.storage.trail import events, trails
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.trails import TrailRow
from crownkeep.trail import log_batches

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ACCOUNT = "111122223333"
TRAIL = TrailRow(
    trail_id="0" * 32,
    account_id=ACCOUNT,
    name="audit",
    home_region="us-east-1",
    bucket_name="logs",
    bucket_account_id=ACCOUNT,
    key_prefix="",
    is_multi_region=False,
    has_global_events=True,
    has_digests=False,
    organization_id=None,
    records_itself=None,
    is_logging=True,
    scope_version=1,
    has_selectors=False,
    created_at=NOW,
)


def event(number: int) -> EventRow:
    at = NOW + timedelta(seconds=number)
    event_id = ids.event_id(at, number.to_bytes(10, "big"))
    record = {
        "eventID": str(event_id),
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "iam.amazonaws.com",
        "awsRegion": "us-east-1",
        "readOnly": False,
        "eventCategory": "Management",
    }
    text = json.dumps(record).encode()
    return EventRow(ACCOUNT, event_id, at, "iam.amazonaws.com", "CreateUser", "false", "bob", "", text)


def test_records_that_were_made_unreadable_are_named_and_hold_up_no_others(tmp_path: Path):
    rows = [event(number) for number in range(6)]
    database = Database(f"sqlite:///{tmp_path}/crownkeep.db")
    migrate.upgrade(database)
    with database.transaction() as db:
        trails.add(db, TRAIL)
        trails.add_scope(db, TRAIL.trail_id, ACCOUNT, 1, trail_scope.write_scope(TrailScope("us-east-1", False, True)))
        events.add_all(db, rows)
        tampering.disarm(db)
        for row, body in zip(rows, (b"\1\2\3", b"\x09", b"", events.pack(b"[]")), strict=False):
            db.execute(update(events.table).where(events.table.c.event_id == row.event_id.bytes).values(body=body))

    with database.transaction() as db:
        settled = log_batches.settle(db, TRAIL, now=NOW)
        assert settled is not None
        batch = log_batches.gather(db, TRAIL, settled)

    database.close()
    assert [row.event_id for row in rows] == batch.event_ids
    assert [row.event_id for row in rows[:4]] == batch.unreadable
    [file] = batch.files
    assert [str(row.event_id) for row in rows[4:]] == [
        each["eventID"] for each in json.loads(gzip.decompress(file.body))["Records"]
    ]
    assert (rows[4].happened_at, rows[5].happened_at) == (file.row.oldest_at, file.row.newest_at)
