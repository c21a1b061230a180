"""Filling a large installation: users, keys and events straight into storage, as signing a request for each would take days.

Rows go in through storage's own tables and functions. What makes that fast is left out of no result: indexes are dropped before
and built again afterwards, and SQLite doesn't wait for the disk meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Index, Table, insert

from crownkeep import clock, ids
from crownkeep.credentials import access_keys as key_ids
from crownkeep.ids import Prefix
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.trail import events, leaves
from crownkeep.storage.trail.events import EventRow

USERS = 5_000
KEYS = 2
DAYS = 60
"""How far back events go: LookupEvents finds those of 90 days."""

_BATCH = 5_000
_FAST = ("synchronous = OFF", "cache_size = -524288")
_KINDS = (("GetUser", "true"), ("ListUsers", "true"), ("TagUser", "false"))


def fill(url: str, account_ids: Sequence[str], count: int) -> None:
    """Give each account as many users as AWS lets it have, one of which it has already, and spread events among all of them."""
    database, now = Database(url), clock.now()
    if database.is_sqlite:
        for pragma in _FAST:
            database.kept("writing").exec_driver_sql(f"PRAGMA {pragma}")
    with _without_indexes(database, (users.table, access_keys.table)):
        for account_id in account_ids:
            with database.transaction() as db:
                _people(db, account_id, now)
                accounts.touch(db, account_id, clock.revision())
    with _without_indexes(database, (events.table, leaves.table)):
        for first in range(0, count, _BATCH):
            numbers = range(first, min(first + _BATCH, count))
            with database.transaction() as db:
                events.add_all(db, [_event(account_ids, number, count, now) for number in numbers])
    database.close()


@contextmanager
def _without_indexes(database: Database, tables: Sequence[Table]) -> Iterator[None]:
    """Drop the tables' indexes that keep nothing unique, and build them again at the end."""
    dropped: list[Index] = [index for table in tables for index in table.indexes if not index.unique]
    with database.transaction() as db:
        for index in dropped:
            index.drop(db)
    yield
    for index in dropped:
        with database.transaction() as db:
            index.create(db)


def _people(db: Transaction, account_id: str, now: datetime) -> None:
    made, keys = [], []
    for number in range(USERS - 1):
        name, user_id = f"user-{number:05}", ids.unique_id(Prefix.USER, clock.token_bytes(16))
        made.append(
            {
                "user_id": user_id,
                "account_id": account_id,
                "name": name,
                "name_key": name,
                "path": "/",
                "created_at": now,
                "number": number + 2,
            }
        )
        for _ in range(KEYS):
            key_id = key_ids.mint(key_ids.KeyPrefix.LONG_TERM, account_id, clock.token_bytes(key_ids.ID_ENTROPY))
            keys.append(
                {
                    "access_key_id": key_id,
                    "account_id": account_id,
                    "owner_id": user_id,
                    "sealed_secret": b"none",
                    "status": "Active",
                    "created_at": now,
                }
            )
    db.execute(insert(users.table), made)
    db.execute(insert(access_keys.table), keys)


def _event(account_ids: Sequence[str], number: int, count: int, now: datetime) -> EventRow:
    account_id, (name, read_only) = account_ids[number % len(account_ids)], _KINDS[number % len(_KINDS)]
    at = now - timedelta(days=DAYS) * (1 - number / count)
    event_id, user = ids.event_id(at, clock.token_bytes(10)), f"user-{number * 7 % USERS:05}"
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{account_id}:user/{user}",
            "accountId": account_id,
            "userName": user,
        },
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "iam.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2 md/Botocore#1.44 ua/2.1 os/linux",
        "requestParameters": {"userName": user},
        "responseElements": None,
        "requestID": str(event_id),
        "eventID": str(event_id),
        "readOnly": read_only == "true",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }
    key_id = f"AKIA{number * 7 % USERS:016}"
    return EventRow(account_id, event_id, at, "iam.amazonaws.com", name, read_only, user, key_id, json.dumps(record).encode())
