"""What command lines were granted by people at a browser: codes to redeem once, refresh tokens, and the proofs that were seen.

Of a code and of a refresh token only the digest is kept. A grant ends when its rows are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, Text, bindparam, delete, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.sign_in.grant_tokens import GrantTokens

grants = Table(
    "command_line_grants",
    metadata,
    Column("grant_id", String(32), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("owner_id", UniqueId, nullable=False),
    Column("principal", LargeBinary, nullable=False),
    Column("session_digest", LargeBinary(32), nullable=False),
    Column("credential_version", LargeBinary(32), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("code_challenge", String(43), nullable=False),
    Column("code_expires_at", Moment, nullable=False),
    Column("key_thumbprint", String(43)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)
tokens = GrantTokens("refresh_tokens")
proofs = Table(
    "possession_proofs",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("expires_at", Moment, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One grant: who let which client act for them, from which browser session, and what its code must be redeemed with."""

    grant_id: str
    account_id: str
    owner_id: str
    """The unique id of whoever acts, which may be a role that was switched to."""
    principal: bytes
    """Whoever acts, encoded by `signin.grants`."""
    session_digest: bytes
    """The browser session it was given in; when that ends, the grant does."""
    credential_version: bytes
    """What the credentials of the session's person were then; when they change, the grant ends."""
    client_id: str
    redirect_uri: str
    code_digest: bytes
    code_challenge: str
    code_expires_at: datetime
    key_thumbprint: str | None
    """The key that the code was redeemed with; None while it was not."""
    created_at: datetime
    expires_at: datetime


_with_id = RowQuery(GrantRow, select(grants).where(grants.c.grant_id == bindparam("of_grant")))
_with_code = RowQuery(GrantRow, select(grants).where(grants.c.code_digest == bindparam("of_digest")))
_redeem = (
    update(grants)
    # The condition is what makes a code good for once: of two that redeem it, the second changes no row (RFC 6749, 4.1.2).
    .where(grants.c.grant_id == bindparam("of_grant"), grants.c.key_thumbprint.is_(None))
    .values(key_thumbprint=bindparam("thumbprint"))
)
_end_grant = delete(grants).where(grants.c.grant_id == bindparam("of_grant"))
_seen = select(proofs.c.digest).where(proofs.c.digest == bindparam("of_digest"))
_forget = tuple(delete(table).where(table.c.expires_at < bindparam("before")) for table in (grants, proofs))
_insert_grant = RowInsert(GrantRow, grants)


def add(db: Transaction, row: GrantRow) -> None:
    """Keep a new grant, with its code."""
    _insert_grant.run(db, row)


def with_id(db: Transaction, grant_id: str) -> GrantRow | None:
    """Return a grant."""
    return _with_id.first(db, {"of_grant": grant_id})


def with_code(db: Transaction, digest: bytes) -> GrantRow | None:
    """Return the grant whose code has this digest, redeemed or not."""
    return _with_code.first(db, {"of_digest": digest})


def redeem(db: Transaction, grant_id: str, *, key_thumbprint: str) -> bool:
    """Bind a grant to the key that its code is redeemed with; returns False where that was done before."""
    return db.execute(_redeem, {"of_grant": grant_id, "thumbprint": key_thumbprint}).rowcount > 0


def end(db: Transaction, grant_id: str) -> None:
    """End a grant and void its refresh tokens."""
    # The tokens first: without their grant they would be refused, and stay.
    tokens.end(db, grant_id)
    db.execute(_end_grant, {"of_grant": grant_id})


def see_proof(db: Transaction, digest: bytes, account_id: str, *, expires_at: datetime) -> bool:
    """Remember a proof of possession; returns False where it was seen before. The account's row must be held."""
    if db.execute(_seen, {"of_digest": digest}).first() is not None:
        return False
    db.execute(insert(proofs), {"digest": digest, "account_id": account_id, "expires_at": expires_at})
    return True


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget what expired before a moment."""
    tokens.forget(db, before=before)
    for statement in _forget:
        db.execute(statement, {"before": before})
