"""What people let programs do for them (`aws sso login`): requests that wait, grants, and the tokens that programs hold.

Of codes and tokens only digests are kept. A grant ends when its row is gone, and with the browser session that it was given in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.sign_in.grant_tokens import GrantTokens
from crownkeep.storage.single_sign_on.instances import StoreId

grants = Table(
    "person_grants",
    metadata,
    Column("grant_id", String(32), primary_key=True),
    # The account that owns the identity store.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("identity_store_id", StoreId, nullable=False),
    Column("client_digest", LargeBinary(32), nullable=False),
    Column("client_name", String(256), nullable=False),
    Column("state", String(16), nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_code_digest", LargeBinary(32), unique=True),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", String(43), nullable=False),
    Column("asked_from", String(64), nullable=False),
    Column("user_agent", String(512), nullable=False),
    Column("owner_id", UniqueId),
    Column("session_digest", LargeBinary(32), index=True),
    Column("created_at", Moment, nullable=False),
    Column("code_expires_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("polls", Integer, nullable=False, server_default="0"),
    Column("scopes", String(512), nullable=False, server_default=""),
)
tokens = GrantTokens("person_tokens")

WAITING, GIVEN, REFUSED, REDEEMED = "waiting", "given", "refused", "redeemed"
"""What becomes of a grant: asked for, given or refused by its person, and redeemed by the program."""


@dataclass(frozen=True, slots=True)
class PersonGrantRow:
    """One grant. `owner_id` is the person's id without hyphens; None while nobody has decided."""

    grant_id: str
    account_id: str
    identity_store_id: str
    client_digest: bytes
    """SHA-256 of the program's client id."""
    client_name: str
    state: str
    code_digest: bytes
    """Of the authorization code, or of the device code."""
    user_code_digest: bytes | None
    redirect_uri: str
    code_challenge: str
    asked_from: str
    """The network address that asked for a device code."""
    user_agent: str
    owner_id: str | None
    session_digest: bytes | None
    """The browser session that it was given in."""
    created_at: datetime
    code_expires_at: datetime
    expires_at: datetime
    polls: int = 0
    """How often a program has asked for tokens while nobody had decided."""
    scopes: str = ""
    """What its tokens are good for, with spaces between; empty for the portal's roles, as `sso:account:access`."""


_with_id = RowQuery(PersonGrantRow, select(grants).where(grants.c.grant_id == bindparam("of_grant")))
_with_code = RowQuery(PersonGrantRow, select(grants).where(grants.c.code_digest == bindparam("of_digest")))
_with_user_code = RowQuery(PersonGrantRow, select(grants).where(grants.c.user_code_digest == bindparam("of_digest")))
_decide = (
    update(grants)
    .where(grants.c.grant_id == bindparam("of_grant"), grants.c.state == WAITING)
    .values(state=bindparam("new_state"), owner_id=bindparam("new_owner"), session_digest=bindparam("new_session"))
)
# One statement finds and spends it: of two who redeem a code at the same moment, one changes no row.
_redeem = (
    update(grants)
    .where(grants.c.grant_id == bindparam("of_grant"), grants.c.state == GIVEN)
    .values(state=REDEEMED, expires_at=bindparam("new_end"))
)
_poll = update(grants).where(grants.c.grant_id == bindparam("of_grant")).values(polls=grants.c.polls + 1)
_end_grant = delete(grants).where(grants.c.grant_id == bindparam("of_grant"))
# Asked on every request of a program, so signing out in the browser ends what programs were allowed there.
_holds = select(grants.c.grant_id).where(
    grants.c.grant_id == bindparam("of_grant"),
    grants.c.session_digest == browser_sessions.table.c.digest,
    browser_sessions.table.c.ended_at.is_(None),
)
_forget = delete(grants).where(grants.c.expires_at < bindparam("before"))
_insert_grant = RowInsert(PersonGrantRow, grants)


def add(db: Transaction, row: PersonGrantRow) -> None:
    """Keep a grant, or a request for one."""
    _insert_grant.run(db, row)


def with_id(db: Transaction, grant_id: str) -> PersonGrantRow | None:
    """Return a grant."""
    return _with_id.first(db, {"of_grant": grant_id})


def with_code(db: Transaction, digest: bytes) -> PersonGrantRow | None:
    """Return the grant whose authorization code or device code has this digest."""
    return _with_code.first(db, {"of_digest": digest})


def with_user_code(db: Transaction, digest: bytes) -> PersonGrantRow | None:
    """Return the request whose user code has this digest."""
    return _with_user_code.first(db, {"of_digest": digest})


def decide(db: Transaction, grant_id: str, *, state: str, owner_id: str, session_digest: bytes) -> bool:
    """Keep what a person has decided; returns False where somebody has decided before."""
    values = {"of_grant": grant_id, "new_state": state, "new_owner": owner_id, "new_session": session_digest}
    return db.execute(_decide, values).rowcount > 0


def poll(db: Transaction, grant_id: str) -> None:
    """Count that a program has asked whether somebody has decided."""
    db.execute(_poll, {"of_grant": grant_id})


def redeem(db: Transaction, grant_id: str, *, expires_at: datetime) -> bool:
    """Spend a grant's code; returns False where that was done before, or the grant was not given."""
    return db.execute(_redeem, {"of_grant": grant_id, "new_end": expires_at}).rowcount > 0


def holds(db: Transaction, grant_id: str) -> bool:
    """Tell whether a grant has not ended, nor the browser session that it was given in."""
    return db.execute(_holds, {"of_grant": grant_id}).first() is not None


def end(db: Transaction, grant_id: str) -> None:
    """End a grant and void its tokens."""
    tokens.end(db, grant_id)
    db.execute(_end_grant, {"of_grant": grant_id})


def forget(db: Transaction, *, before: datetime) -> None:
    """Forget what expired before a moment."""
    tokens.forget(db, before=before)
    db.execute(_forget, {"before": before})
