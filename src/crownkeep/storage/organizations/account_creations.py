"""Requests to create accounts in an organization, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, bindparam, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "account_creations",
    metadata,
    Column("creation_id", OrganizationId, primary_key=True),
    # The management account, which asked.
    Column("account_id", AccountId, nullable=False),
    Column("organization_id", OrganizationId, nullable=False),
    Column("account_name", String(50), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("completed_at", Moment),
    Column("created_account_id", AccountId),
    Column("failure_reason", String(64)),
    Index(None, "account_id", "organization_id", "creation_id"),
)


@dataclass(frozen=True, slots=True)
class AccountCreationRow:
    """One request (`car-...`). `state` is `SUCCEEDED` or `FAILED`; `account_id` is the management account that asked."""

    creation_id: str
    account_id: str
    organization_id: str
    account_name: str
    state: str
    requested_at: datetime
    completed_at: datetime | None
    created_account_id: str | None
    failure_reason: str | None


_of_organization = table.c.organization_id == bindparam("organization_id")
_by_id = RowQuery(AccountCreationRow, select(table).where(_of_organization, table.c.creation_id == bindparam("creation_id")))
_page = RowQuery(
    AccountCreationRow,
    select(table)
    .where(
        _of_organization,
        table.c.account_id == bindparam("account_id"),
        table.c.creation_id > bindparam("after"),
        table.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(table.c.creation_id)
    .limit(bindparam("limit")),
)
_count_failed_since = (
    select(func.count())
    .select_from(table)
    .where(
        _of_organization,
        table.c.account_id == bindparam("account_id"),
        table.c.state == "FAILED",
        table.c.requested_at > bindparam("since"),
    )
)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(AccountCreationRow, table)


def with_id(db: Transaction, organization_id: str, creation_id: str) -> AccountCreationRow | None:
    """Return the request of this organization with this id."""
    return _by_id.first(db, {"organization_id": organization_id, "creation_id": creation_id})


def page(
    db: Transaction, account_id: str, organization_id: str, *, states: Sequence[str], after: str, limit: int
) -> list[AccountCreationRow]:
    """Return up to `limit` requests in one of these states in the order of their ids, from the one after `after`."""
    values = {
        "account_id": account_id,
        "organization_id": organization_id,
        "states": list(states),
        "after": after,
        "limit": limit,
    }
    return _page.all(db, values)


def count_failed_since(db: Transaction, account_id: str, organization_id: str, since: datetime) -> int:
    """Return how many requests made after this moment failed."""
    values = {"account_id": account_id, "organization_id": organization_id, "since": since}
    return int(db.execute(_count_failed_since, values).scalar_one())


def add(db: Transaction, row: AccountCreationRow) -> None:
    """Keep a request and what became of it."""
    _insert.run(db, row)


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every request of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
