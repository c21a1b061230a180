"""A trail of some months long ago, of three accounts, as an operator finds it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fixtures import prepared

from crownkeep import ids
from crownkeep.cli import house
from crownkeep.storage.trail import events
from crownkeep.storage.trail.events import EventRow
from crownkeep.trail import catching_up

ACCOUNTS = ("", "111122223333", "444455556666")
BEGINS = datetime(2024, 1, 30, tzinfo=UTC)
SIZE = 600
MONTH = "2024-02"


def event(number: int) -> EventRow:
    """Return an event, one each hour or two from the end of January to March; one in ten has its id a little before its turn."""
    at = BEGINS + timedelta(hours=number * 1.5 - (number % 10 == 9) * 2)
    account_id, event_id = ACCOUNTS[number % 3], ids.event_id(at, number.to_bytes(10, "big"))
    name, who = ("CreateUser", "DeleteUser", "GetUser")[number % 7 % 3], f"user-{number % 5}"
    record = (
        f'{{"eventID":"{event_id}","eventSource":"iam.amazonaws.com","eventName":"{name}",'
        f'"eventTime":"{at:%Y-%m-%dT%H:%M:%SZ}","readOnly":{str(name == "GetUser").lower()},'
        f'"recipientAccountId":"{account_id}","userIdentity":{{"type":"Root"}},"sourceIPAddress":"192.0.2.{number % 200}",'
        f'"requestParameters":{{"userName":"{who}\\u2028é"}}}}'
    )
    named = (("AWS::IAM::User", who), ("AWS::IAM::User", "x" * 600))[: number % 3]
    key = f"AKIA{number % 4:016}" if number % 2 else ""
    return EventRow(
        account_id, event_id, at, "iam.amazonaws.com", name, str(name == "GetUser").lower(), who, key, record.encode(), named
    )


def furnish(data: Path, database: str = "") -> None:
    """Make an installation whose trail has these months."""
    if not database:
        prepared.prepare(data)
    with house.opened(str(data), database or None) as held:
        for first in range(0, SIZE, 200):
            with held.database.transaction() as db:
                events.add_all(db, [event(number) for number in range(first, first + 200)])
        catching_up.catch_up(held.database, held.directory.keyring)
