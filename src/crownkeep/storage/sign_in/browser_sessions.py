"""Browser sessions: who is signed in from where, found by the digest of a cookie that nobody else knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "browser_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("session_id", String(32), nullable=False, unique=True),
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("principal", LargeBinary, nullable=False),
    Column("switched", Text, nullable=False),
    Column("credential_version", LargeBinary(32), nullable=False),
    Column("proven_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(512), nullable=False),
    Column("ended_at", Moment),
    Index(None, "account_id", "owner_id"),
)


@dataclass(frozen=True, slots=True)
class BrowserSessionRow:
    """One session. `owner_id` is the unique id of whoever signed in, `principal` that person encoded by `signin.sessions`."""

    digest: bytes
    """SHA-256 of the cookie's random bytes."""
    session_id: str
    """How the session is named to its owner; worth nothing to anybody else."""
    account_id: str
    owner_id: str
    principal: bytes
    switched: str
    """The roles switched to, the latest last; as JSON."""
    credential_version: bytes
    """What the owner's credentials were when the session began; when they change, it ends."""
    proven_at: datetime
    """When the owner last proved to be there, by password and factor."""
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    ended_at: datetime | None = None


_with_digest = RowQuery(BrowserSessionRow, select(table).where(table.c.digest == bindparam("of_digest")))
_is_open = select(table.c.digest).where(table.c.session_id == bindparam("of_session"), table.c.ended_at.is_(None))
_insert = RowInsert(BrowserSessionRow, table)
_of_owner = RowQuery(
    BrowserSessionRow,
    select(table)
    .where(
        table.c.account_id == bindparam("of_account"),
        table.c.owner_id == bindparam("of_owner"),
        table.c.ended_at.is_(None),
        table.c.expires_at > bindparam("now"),
    )
    .order_by(table.c.last_seen_at.desc())
    .limit(200),
)
_this = table.c.digest == bindparam("of_digest")
# The first end counts: ended rows stay until they expire, and say when.
_end = update(table).where(_this, table.c.ended_at.is_(None)).values(ended_at=bindparam("at"))
_end_named = (
    update(table)
    .where(
        table.c.account_id == bindparam("of_account"),
        table.c.owner_id == bindparam("of_owner"),
        table.c.session_id == bindparam("of_session"),
        table.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("at"))
)
_end_others = (
    update(table)
    .where(
        table.c.account_id == bindparam("of_account"),
        table.c.owner_id == bindparam("of_owner"),
        # An empty digest is no session's, and then excepts nothing: SHA-256 has 32 bytes.
        table.c.digest != bindparam("but_digest"),
        table.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("at"))
)
_see = update(table).where(_this).values(last_seen_at=bindparam("at"))
_prove = update(table).where(_this).values(principal=bindparam("new_principal"), proven_at=bindparam("at"))
_switch = update(table).where(_this).values(switched=bindparam("new_switched"))
_rebind = update(table).where(_this).values(credential_version=bindparam("new_version"))
_forget = delete(table).where(table.c.expires_at < bindparam("before"))


def with_digest(db: Transaction, digest: bytes) -> BrowserSessionRow | None:
    """Return the session whose cookie has this digest, ended or not."""
    return _with_digest.first(db, {"of_digest": digest})


def is_open(db: Transaction, session_id: str) -> bool:
    """Tell whether a session by its name has not been ended."""
    return db.execute(_is_open, {"of_session": session_id}).first() is not None


def of_owner(db: Transaction, account_id: str, owner_id: str, *, now: datetime) -> list[BrowserSessionRow]:
    """Return a person's sessions that have not ended, the latest used first; 200 at most."""
    values = {"of_account": account_id, "of_owner": owner_id, "now": now}
    return _of_owner.all(db, values)


def add(db: Transaction, row: BrowserSessionRow) -> None:
    """Keep a new session."""
    _insert.run(db, row)


def end(db: Transaction, digest: bytes, *, at: datetime) -> None:
    """End a session."""
    db.execute(_end, {"of_digest": digest, "at": at})


def end_named(db: Transaction, account_id: str, owner_id: str, session_id: str, *, at: datetime) -> bool:
    """End a person's session by the name it has in their list; returns whether there was one."""
    values = {"of_account": account_id, "of_owner": owner_id, "of_session": session_id, "at": at}
    return db.execute(_end_named, values).rowcount > 0


def end_others(db: Transaction, account_id: str, owner_id: str, *, but: bytes, at: datetime) -> int:
    """End a person's sessions except the one with this digest, and return how many; an empty digest excepts none."""
    values = {"of_account": account_id, "of_owner": owner_id, "but_digest": but, "at": at}
    return db.execute(_end_others, values).rowcount


def see(db: Transaction, digest: bytes, *, at: datetime) -> None:
    """Remember that a session was used."""
    db.execute(_see, {"of_digest": digest, "at": at})


def prove(db: Transaction, digest: bytes, principal: bytes, *, at: datetime) -> None:
    """Remember that a session's person proved to be there."""
    db.execute(_prove, {"of_digest": digest, "new_principal": principal, "at": at})


def switch(db: Transaction, digest: bytes, switched: str) -> None:
    """Set the roles that a session has switched to."""
    db.execute(_switch, {"of_digest": digest, "new_switched": switched})


def rebind(db: Transaction, digest: bytes, version: bytes) -> None:
    """Bind a session to its owner's credentials as they are now."""
    db.execute(_rebind, {"of_digest": digest, "new_version": version})


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget the sessions that expired before a moment."""
    db.execute(_forget, {"before": before})
