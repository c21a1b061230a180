"""One-time links: only the digest of each is kept, for one purpose and one account, and it is gone once it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, bindparam, delete, insert, select

from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "one_time_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("credential_version", LargeBinary(32)),
    Column("owner_id", UniqueId),
    Index(None, "account_id", "purpose"),
)


@dataclass(frozen=True, slots=True)
class OneTimeLinkRow:
    """One link that nobody has used yet; `digest` is what `credentials.one_time_links` makes of its token."""

    digest: bytes
    account_id: str
    purpose: LinkPurpose
    created_at: datetime
    expires_at: datetime
    credential_version: bytes | None = None
    """What its owner had to sign in with when the link was made, where the link is void once that changes."""
    owner_id: str | None = None
    """The person of single sign-on whom it is for; None for root."""


def _row(
    digest: bytes,
    account_id: str,
    purpose: str,
    created_at: datetime,
    expires_at: datetime,
    credential_version: bytes | None,
    owner_id: str | None,
) -> OneTimeLinkRow:
    return OneTimeLinkRow(
        digest=digest,
        account_id=account_id,
        purpose=LinkPurpose(purpose),
        created_at=created_at,
        expires_at=expires_at,
        credential_version=credential_version,
        owner_id=owner_id,
    )


_with_digest = RowQuery(_row, select(table).where(table.c.digest == bindparam("digest")))
_spend = delete(table).where(table.c.digest == bindparam("of_digest"))
_remove_all = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.purpose == bindparam("of_purpose"))
_remove_of = delete(table).where(
    table.c.account_id == bindparam("of_account"),
    table.c.purpose == bindparam("of_purpose"),
    table.c.owner_id == bindparam("of_owner"),
)
_forget = delete(table).where(table.c.purpose == bindparam("of_purpose"), table.c.expires_at < bindparam("before"))


def with_digest(db: Transaction, digest: bytes) -> OneTimeLinkRow | None:
    """Return the unused link with this digest, expired or not; the digest covers the purpose."""
    return _with_digest.first(db, {"digest": digest})


def add(db: Transaction, row: OneTimeLinkRow) -> None:
    """Keep a new link."""
    db.execute(
        insert(table),
        {
            "digest": row.digest,
            "account_id": row.account_id,
            "purpose": row.purpose.value,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "credential_version": row.credential_version,
            "owner_id": row.owner_id,
        },
    )


def spend(db: Transaction, digest: bytes) -> bool:
    """Remove the link with this digest; returns False where somebody else has just spent it."""
    return db.execute(_spend, {"of_digest": digest}).rowcount > 0


def remove_all(db: Transaction, account_id: str, *, purpose: LinkPurpose) -> None:
    """Void the account's links of a purpose: the one that was used, and any other that was made before it."""
    db.execute(_remove_all, {"of_account": account_id, "of_purpose": purpose.value})


def remove_of(db: Transaction, account_id: str, owner_id: str, *, purpose: LinkPurpose) -> None:
    """Void a person's links of a purpose."""
    db.execute(_remove_of, {"of_account": account_id, "of_purpose": purpose.value, "of_owner": owner_id})


def forget(db: Transaction, *, purpose: LinkPurpose, before: datetime) -> None:
    """Forget the links of a purpose that expired before a moment."""
    db.execute(_forget, {"of_purpose": purpose.value, "before": before})
