"""The door's own view of an account of tests: its database and its wiring, opened beside the running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.fixtures.crown import Account

from crownkeep import data_directory
from crownkeep.app import open_wiring
from crownkeep.operations.call import Call, Origin, Request, Wiring
from crownkeep.operations.registry import Operation
from crownkeep.operations.registry import service as service_named
from crownkeep.principals import Caller, Principal, PrincipalKind, Session
from crownkeep.storage.database import Database, Transaction

ORIGIN = Origin("192.0.2.7", "test", "us-east-1", "request")


class Inside:
    """What the door knows of one account."""

    def __init__(self, account: Account, database: Database, wiring: Wiring) -> None:
        self.account = account
        self.database = database
        self.wiring = wiring

    def user(self, name: str, **changes: Any) -> Principal:
        """Return a user as the door knows it; `changes` are the principal's, such as its session."""
        user = self.account.client("iam").get_user(UserName=name)["User"]
        return Principal(PrincipalKind.USER, self.account.id, user["UserId"], name, user["Path"], **changes)

    @property
    def root(self) -> Principal:
        """The account's root user."""
        return Principal(PrincipalKind.ROOT, self.account.id, self.account.id)

    @contextmanager
    def call(self, caller: Caller) -> Iterator[Call]:
        """Open a call of somebody, in a snapshot."""
        with self.database.snapshot() as db:
            yield self.call_in(db, caller)

    def call_in(self, db: Transaction, caller: Caller) -> Call:
        """Make a call of somebody in an open transaction."""
        standing = self.wiring.standings.of(db, caller)
        return Call(db, standing.account_id, caller, datetime.now(UTC), ORIGIN, self.wiring, standing)


@contextmanager
def opened(account: Account) -> Iterator[Inside]:
    """Open the database of an account's server."""
    database, wiring = open_wiring(account.crown.settings, data_directory.prepare(account.crown.settings))
    yield Inside(account, database, wiring)
    database.close()


def operation(service: str, name: str) -> Operation:
    """Return an operation by its names."""
    found = service_named(service)
    assert found is not None
    named = found.find(name)
    assert named is not None
    return named


def session(**changes: Any) -> Session:
    """Make a session that began now and lasts."""
    now = datetime.now(UTC)
    return Session(now, now.replace(year=now.year + 1), **changes)


def request(service: str, name: str, caller: Caller, parameters: dict[str, object] | None = None, **changes: Any) -> Request:
    """Make a request of somebody."""
    return Request(operation(service, name), parameters or {}, caller, ORIGIN, datetime(2026, 11, 24, tzinfo=UTC), **changes)
