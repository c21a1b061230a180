"""One-time links: only the hash of each is kept, for one purpose and one account, and it is gone once it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Column, Index, LargeBinary, String, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata

table = Table(
    "one_time_links",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "account_id", "purpose"),
)


class LinkPurpose(Enum):
    """What a link lets its holder do, once."""

    SET_ROOT_PASSWORD = "set-root-password"


@dataclass(frozen=True, slots=True)
class OneTimeLinkRow:
    """One link that nobody has used yet. `token_hash` is the SHA-256 of the token in it."""

    token_hash: bytes
    account_id: str
    purpose: LinkPurpose
    created_at: datetime
    expires_at: datetime


_with_hash = select(table).where(table.c.token_hash == bindparam("token_hash"), table.c.purpose == bindparam("purpose"))
_remove_all = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.purpose == bindparam("of_purpose"))


def with_hash(db: Transaction, token_hash: bytes, *, purpose: LinkPurpose) -> OneTimeLinkRow | None:
    """Answer the unused link with this hash and purpose, expired or not."""
    row = db.execute(_with_hash, {"token_hash": token_hash, "purpose": purpose.value}).first()
    return OneTimeLinkRow(row[0], row[1], LinkPurpose(row[2]), row[3], row[4]) if row else None


def add(db: Transaction, row: OneTimeLinkRow) -> None:
    """Keep a new link."""
    db.execute(
        insert(table),
        {
            "token_hash": row.token_hash,
            "account_id": row.account_id,
            "purpose": row.purpose.value,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
        },
    )


def remove_all(db: Transaction, account_id: str, *, purpose: LinkPurpose) -> None:
    """Void the account's links of a purpose: the one that was used, and any other that was made before it."""
    db.execute(_remove_all, {"of_account": account_id, "of_purpose": purpose.value})
