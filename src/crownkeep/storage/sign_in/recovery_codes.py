"""Recovery codes: the hashes of those that are unspent, and who was offered some and wants none; spending one removes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "recovery_codes",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("owner_id", UniqueId, primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    # Shared by a set, so that a code that is tried is hashed once, and not once for each that is left.
    Column("salt", LargeBinary(16), nullable=False),
    Column("created_at", Moment, nullable=False),
)

declined = Table(
    "declined_recovery_codes",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("owner_id", UniqueId, primary_key=True),
    Column("declined_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RecoveryCodeRow:
    """One unspent code of a user, or of root by the account id; all codes of a set share their salt."""

    account_id: str
    owner_id: str
    digest: bytes
    salt: bytes
    created_at: datetime


_of = (table.c.account_id == bindparam("of_account"), table.c.owner_id == bindparam("of_owner"))
_of_owner = RowQuery(RecoveryCodeRow, select(table).where(*_of))
_count = Prepared(select(func.count()).select_from(table).where(*_of))
# Deleting is spending: the row count tells which of two at once was first.
_remove = delete(table).where(*_of, table.c.digest == bindparam("of_digest"))
_remove_all = delete(table).where(*_of)
_of_declined = (declined.c.account_id == bindparam("of_account"), declined.c.owner_id == bindparam("of_owner"))
_has_declined = Prepared(select(declined.c.declined_at).where(*_of_declined))
_forget_declined = delete(declined).where(*_of_declined)
_insert = RowInsert(RecoveryCodeRow, table)


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[RecoveryCodeRow]:
    """Return a person's unspent codes."""
    return _of_owner.all(db, {"of_account": account_id, "of_owner": owner_id})


def count(db: Transaction, account_id: str, owner_id: str) -> int:
    """Return how many unspent codes a person has."""
    row = _count.first(db, {"of_account": account_id, "of_owner": owner_id})
    return int(row[0]) if row else 0


def replace_all(db: Transaction, account_id: str, owner_id: str, rows: Iterable[RecoveryCodeRow]) -> None:
    """Keep a new set; the codes of the one before are void, and so is it that the person wanted none."""
    remove_all(db, account_id, owner_id)
    db.execute(_forget_declined, {"of_account": account_id, "of_owner": owner_id})
    _insert.run_each(db, rows)


def remove(db: Transaction, row: RecoveryCodeRow) -> bool:
    """Take a code out of the set; returns False where somebody else has just spent it."""
    values = {"of_account": row.account_id, "of_owner": row.owner_id, "of_digest": row.digest}
    return db.execute(_remove, values).rowcount > 0


def remove_all(db: Transaction, account_id: str, owner_id: str) -> None:
    """Void every code of a person."""
    db.execute(_remove_all, {"of_account": account_id, "of_owner": owner_id})


def decline(db: Transaction, account_id: str, owner_id: str, *, at: datetime) -> None:
    """Remember that a person was offered codes and wants none for now. The account's row must be held."""
    db.execute(_forget_declined, {"of_account": account_id, "of_owner": owner_id})
    db.execute(insert(declined), {"account_id": account_id, "owner_id": owner_id, "declined_at": at})


def has_declined(db: Transaction, account_id: str, owner_id: str) -> bool:
    """Return whether a person was offered codes and wanted none."""
    return _has_declined.first(db, {"of_account": account_id, "of_owner": owner_id}) is not None
