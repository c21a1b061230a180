"""Tokens that come of a grant, in a table for each kind of grant: only digests are kept, and each is exchanged once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery


@dataclass(frozen=True, slots=True)
class GrantTokenRow:
    """One token of a grant, and when it was exchanged for another; the digest covers what kind of token it is."""

    digest: bytes
    grant_id: str
    account_id: str
    spent_at: datetime | None
    expires_at: datetime


class GrantTokens:
    """The tokens in one table."""

    def __init__(self, name: str) -> None:
        self._table = Table(
            name,
            metadata,
            Column("digest", LargeBinary(32), primary_key=True),
            Column("grant_id", String(32), nullable=False, index=True),
            Column("account_id", AccountId, nullable=False, index=True),
            Column("spent_at", Moment),
            Column("expires_at", Moment, nullable=False, index=True),
        )
        columns = self._table.c
        is_it = columns.digest == bindparam("of_digest")
        self._insert = RowInsert(GrantTokenRow, self._table)
        self._with_digest = RowQuery(GrantTokenRow, select(self._table).where(is_it))
        # The first exchange alone is noted: the grace for a program that has lost the answer counts from there.
        self._spend = update(self._table).where(is_it, columns.spent_at.is_(None)).values(spent_at=bindparam("at"))
        self._end = delete(self._table).where(columns.grant_id == bindparam("of_grant"))
        self._forget = delete(self._table).where(columns.expires_at < bindparam("before"))

    def add(self, db: Transaction, row: GrantTokenRow) -> None:
        """Keep a new token."""
        self._insert.run(db, row)

    def with_digest(self, db: Transaction, digest: bytes) -> GrantTokenRow | None:
        """Return the token with this digest, spent or not."""
        return self._with_digest.first(db, {"of_digest": digest})

    def spend(self, db: Transaction, digest: bytes, *, at: datetime) -> bool:
        """Remember when a token was first exchanged for another; returns False where that was done before."""
        return db.execute(self._spend, {"of_digest": digest, "at": at}).rowcount > 0

    def end(self, db: Transaction, grant_id: str) -> None:
        """Void the tokens of a grant."""
        db.execute(self._end, {"of_grant": grant_id})

    def forget(self, db: Transaction, *, before: datetime) -> None:
        """Forget what expired before a moment."""
        db.execute(self._forget, {"before": before})
