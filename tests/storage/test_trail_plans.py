"""How the trail is looked up: on either database by an index in the order of the answer, and no index is kept in vain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import inspect
from tests.fixtures.statements import given
from tests.storage.test_sequencing import ACCOUNT, event, write

from crownkeep.storage.database import Database, Transaction, run_as_written, run_plainly
from crownkeep.storage.trail import events, leaves, reading

FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
NAMED = event(1)
SOUGHT = {
    "EventId": str(NAMED.event_id),
    "EventName": NAMED.name,
    "ReadOnly": "true",
    "Username": "nobody",
    "EventSource": NAMED.source,
    "AccessKeyId": "AKIA",
    "ResourceName": "user-1",
    "ResourceType": "AWS::IAM::User",
}
OWN = {
    "EventId": "sqlite_autoindex_events_1",
    "EventName": "ix_events_account_id_name_event_id",
    "ReadOnly": "ix_events_account_id_read_only_event_id",
    "Username": "ix_events_account_id_username_event_id",
    "EventSource": "ix_events_account_id_source_event_id",
    "AccessKeyId": "ix_events_account_id_access_key_id_event_id",
    "ResourceName": "PRIMARY KEY",
    "ResourceType": "ix_event_resources_account_id_resource_type_event_id",
}
"""The index by which SQLite finds events of each attribute."""


def plan(db: Transaction, text: str, values: Any) -> str:
    """Return how a statement is carried out, a step a line."""
    if db.dialect.name == "sqlite":
        return "\n".join(row[3] for row in run_as_written(db, f"EXPLAIN QUERY PLAN {text}", values))
    # Tables this small would be read as a whole.
    for way in ("seqscan", "bitmapscan"):
        run_plainly(db, f"SET LOCAL enable_{way} = off")
    return "\n".join(row[0] for row in run_as_written(db, f"EXPLAIN {text}", values))


def looked_up(database: Database, key: str) -> str:
    """Return how the events of an attribute are found."""
    with database.snapshot() as db:
        with given() as statements:
            events.newest(db, ACCOUNT, first=FIRST, before=LAST, limit=50, attribute=(key, SOUGHT[key]))
        return plan(db, statements[0].text, statements[0].values)


def test_the_trail_is_looked_up_by_indexes_and_keeps_none_in_vain(database: Database):
    write(database, 0, 300)
    of_leaves = {
        "ix_trail_leaves_account_id_idx": (reading._OF_ACCOUNT, (ACCOUNT, 0, 10)),
        "event_id": (reading._ONE, (NAMED.event_id.bytes,)),
    }

    plans = {key: looked_up(database, key) for key in SOUGHT}
    with database.snapshot() as db:
        marks = "?" if db.dialect.name == "sqlite" else "%s"
        others = {index: plan(db, text.replace("?", marks), values) for index, (text, values) in of_leaves.items()}
        tables = (events.table, events.resources, leaves.table)
        kept = {str(each["name"]) for table in tables for each in inspect(db).get_indexes(table.name)}

    slow = ("Seq Scan", "Sort", "TEMP B-TREE", "SCAN ")
    assert [] == [key for key, steps in plans.items() if any(each in steps for each in slow)]
    if database.engine.dialect.name == "sqlite":
        assert {} == {key: steps for key, steps in plans.items() if OWN[key] not in steps}
    assert {} == {index: steps for index, steps in others.items() if index not in steps}
    named = {*OWN.values(), *others}
    assert set() == {each for each in kept if each.startswith("ix_")} - named
