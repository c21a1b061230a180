"""Guards of the last way in: in which accounts no act may leave nobody who can administer, and who has said so."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Table, bindparam, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "last_way_in_guards",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("by_account", Boolean, nullable=False),
    Column("by_operator", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class LastWayInGuardRow:
    """One account's guard, which is on where either has switched it on; an account without a row has none."""

    account_id: str
    by_account: bool = False
    by_operator: bool = False

    @property
    def is_on(self) -> bool:
        """Whether the guard is on."""
        return self.by_account or self.by_operator


_this = table.c.account_id == bindparam("of_account")
_of_account = RowQuery(LastWayInGuardRow, select(table).where(_this))
_set = update(table).where(_this).values(by_account=bindparam("new_by_account"), by_operator=bindparam("new_by_operator"))
_insert = RowInsert(LastWayInGuardRow, table)


def of_account(db: Transaction, account_id: str) -> LastWayInGuardRow:
    """Return an account's guard, which is off where it never was switched on."""
    return _of_account.first(db, {"of_account": account_id}) or LastWayInGuardRow(account_id)


def put(db: Transaction, row: LastWayInGuardRow) -> None:
    """Keep an account's guard in the place of the one before."""
    values = {"of_account": row.account_id, "new_by_account": row.by_account, "new_by_operator": row.by_operator}
    if not db.execute(_set, values).rowcount:
        _insert.run(db, row)
