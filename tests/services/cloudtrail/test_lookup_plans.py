"""A lookup stays quick among a million events: each is read off the end of an index, and nothing is ever sorted or scanned."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fixtures.statements import given

from crownkeep.storage.database import Database
from crownkeep.storage.schema import metadata
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow

ACCOUNT = "111122223333"
LOOKUPS = {
    "": "",
    "EventId": str(UUID(int=7)),
    "EventName": "GetUser",
    "ReadOnly": "true",
    "Username": "root",
    "EventSource": "iam.amazonaws.com",
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "ResourceName": "bob",
    "ResourceType": "AWS::IAM::User",
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'events.db'}")
    metadata.create_all(made.engine)
    return made


@pytest.mark.parametrize(("key", "value"), LOOKUPS.items(), ids=lambda text: text)
def test_no_lookup_scans_or_sorts(database: Database, key: str, value: str) -> None:
    found = look_up(database, key, value)
    assert [UUID(int=7)] == [row.event_id for row in found]

    plans = [plan(database, statement, values) for statement, values in asked(database, key, value)]

    for steps in plans:
        assert all((step.startswith("SEARCH ") and " INDEX " in step) or "PRIMARY KEY" in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps


def look_up(database: Database, key: str, value: str) -> list[EventRow]:
    with database.transaction() as db:
        if not events.newest(db, ACCOUNT, first=UUID(int=0), before=UUID(int=9), limit=1):
            events.add_all(db, [row()])
        attribute = (key, value) if key else None
        return events.newest(db, ACCOUNT, first=UUID(int=0), before=UUID(int=9), limit=51, attribute=attribute)


def asked(database: Database, key: str, value: str) -> list[tuple[str, Any]]:
    """Return the statements that a lookup sends, with their values."""
    with given() as statements:
        look_up(database, key, value)
    asked = [each for each in statements if each.text.startswith("SELECT") and "FROM event" in each.text]
    assert asked
    return [(each.text, tuple(each.values)) for each in asked]


def plan(database: Database, statement: str, values: Any) -> list[str]:
    with database.snapshot() as db:
        return [str(row[3]) for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]


def row() -> EventRow:
    return EventRow(
        ACCOUNT,
        UUID(int=7),
        datetime(2026, 11, 24, tzinfo=UTC),
        "iam.amazonaws.com",
        "GetUser",
        "true",
        "root",
        "AKIAIOSFODNN7EXAMPLE",
        b"{}",
        (("AWS::IAM::User", "bob"),),
    )
