"""Handshakes: what an organization and an account agree on before it happens, such as joining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, Text, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "handshakes",
    metadata,
    Column("handshake_id", OrganizationId, primary_key=True),
    # The management account of the organization, which asks.
    Column("account_id", AccountId, nullable=False),
    Column("organization_id", OrganizationId, nullable=False),
    Column("action", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("recipient_type", String(16), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("recipient_key", String(254), nullable=False, index=True),
    Column("parent_id", OrganizationId),
    Column("requested_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("notes", String(1024)),
    Column("tags", Text),
    Index(None, "account_id", "organization_id", "handshake_id"),
    Index(None, "parent_id"),
)


@dataclass(frozen=True, slots=True)
class HandshakeRow:
    """One handshake (`h-...`). Whether it has expired shows in `expires_at`, not in the `state` that is kept."""

    handshake_id: str
    account_id: str
    organization_id: str
    action: str
    """`INVITE`, `ENABLE_ALL_FEATURES` or `APPROVE_ALL_FEATURES`."""
    state: str
    """`REQUESTED`, `OPEN`, `CANCELED`, `ACCEPTED` or `DECLINED`."""
    recipient_type: str
    """`ACCOUNT` or `EMAIL`."""
    recipient: str
    """The account that is asked, by its id or by root's address; the management account itself for ENABLE_ALL_FEATURES."""
    recipient_key: str
    """The same in lower case."""
    parent_id: str | None
    """The handshake that this one is a part of."""
    requested_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    notes: str | None
    tags: str | None
    """What the account is tagged with when it joins: a JSON object."""


_by_id = RowQuery(HandshakeRow, select(table).where(table.c.handshake_id == bindparam("handshake_id")))
_part_of = (bindparam("parent_id", type_=String).is_(None)) | (table.c.parent_id == bindparam("parent_id", type_=String))
_kept = (table.c.handshake_id > bindparam("after"), func.coalesce(table.c.ended_at, table.c.expires_at) > bindparam("since"))
_acting = table.c.action.in_(bindparam("actions", expanding=True))
_for_account = RowQuery(
    HandshakeRow,
    select(table)
    .where(table.c.recipient_key.in_(bindparam("recipients", expanding=True)), _acting, _part_of, *_kept)
    .order_by(table.c.handshake_id)
    .limit(bindparam("limit")),
)
_for_organization = RowQuery(
    HandshakeRow,
    select(table)
    .where(table.c.organization_id == bindparam("organization_id"), _acting, _part_of, *_kept)
    .order_by(table.c.handshake_id)
    .limit(bindparam("limit")),
)
_open_now = (table.c.state.in_(("OPEN", "REQUESTED")), table.c.expires_at > bindparam("now"))
_open_to = RowQuery(
    HandshakeRow,
    select(table).where(
        table.c.organization_id == bindparam("organization_id"),
        table.c.recipient_key == bindparam("recipient_key"),
        table.c.action == bindparam("action"),
        *_open_now,
    ),
)
_open_of = RowQuery(
    HandshakeRow,
    select(table).where(
        table.c.organization_id == bindparam("organization_id"), table.c.action == bindparam("action"), *_open_now
    ),
)
_count_open = (
    select(func.count())
    .select_from(table)
    .where(table.c.organization_id == bindparam("organization_id"), table.c.action == bindparam("action"), *_open_now)
)
_count_since = (
    select(func.count())
    .select_from(table)
    .where(
        table.c.organization_id == bindparam("organization_id"),
        table.c.action == bindparam("action"),
        table.c.requested_at > bindparam("since"),
    )
)
_unanswered_parts = (
    select(table.c.handshake_id)
    .where(table.c.parent_id == bindparam("parent_id"), table.c.state.not_in(("ACCEPTED", "CANCELED")))
    .limit(1)
)
_set_state = (
    update(table)
    .where(table.c.handshake_id == bindparam("of_handshake"))
    .values(state=bindparam("new_state"), ended_at=bindparam("ends_at"))
)
_cancel_within = (
    update(table)
    .where(
        table.c.organization_id == bindparam("of_organization"),
        table.c.recipient_key.in_(bindparam("recipients", expanding=True)),
        table.c.state.in_(("OPEN", "REQUESTED")),
    )
    .values(state="CANCELED", ended_at=bindparam("ends_at"))
)
_cancel_parts = (
    update(table)
    .where(table.c.parent_id == bindparam("of_parent"), table.c.state == "OPEN")
    .values(state="CANCELED", ended_at=bindparam("ends_at"))
)
_remove_to = delete(table).where(table.c.recipient_key.in_(bindparam("recipients", expanding=True)))
_remove_before = delete(table).where(
    table.c.organization_id == bindparam("of_organization"),
    func.coalesce(table.c.ended_at, table.c.expires_at) <= bindparam("before"),
)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))
_insert = RowInsert(HandshakeRow, table)


def with_id(db: Transaction, handshake_id: str) -> HandshakeRow | None:
    """Return the handshake with this id, whosever it is: the caller checks who asks."""
    return _by_id.first(db, {"handshake_id": handshake_id})


def page_for_account(
    db: Transaction,
    recipients: Sequence[str],
    *,
    actions: Sequence[str],
    parent_id: str | None,
    since: datetime,
    after: str,
    limit: int,
) -> list[HandshakeRow]:
    """Return up to `limit` handshakes made out to one of these keys that did not end before `since`, in the order of their ids.

    Where a parent is given, only its parts count. The keys of an account are its id and root's address.
    """
    values = _filters(actions, parent_id, since, after, limit) | {"recipients": list(recipients)}
    return _for_account.all(db, values)


def page_for_organization(
    db: Transaction,
    organization_id: str,
    *,
    actions: Sequence[str],
    parent_id: str | None,
    since: datetime,
    after: str,
    limit: int,
) -> list[HandshakeRow]:
    """Return up to `limit` handshakes of an organization that did not end before `since`, in the order of their ids."""
    values = _filters(actions, parent_id, since, after, limit) | {"organization_id": organization_id}
    return _for_organization.all(db, values)


def open_to(db: Transaction, organization_id: str, recipient_key: str, action: str, *, now: datetime) -> HandshakeRow | None:
    """Return the handshake of this kind that was made out to this key and waits for an answer."""
    values = {"organization_id": organization_id, "recipient_key": recipient_key, "action": action, "now": now}
    return _open_to.first(db, values)


def open_of(db: Transaction, organization_id: str, action: str, *, now: datetime) -> HandshakeRow | None:
    """Return a handshake of this kind that is still open in an organization."""
    return _open_of.first(db, {"organization_id": organization_id, "action": action, "now": now})


def count_open(db: Transaction, organization_id: str, action: str, *, now: datetime) -> int:
    """Return how many handshakes of this kind are still open in an organization."""
    values = {"organization_id": organization_id, "action": action, "now": now}
    return int(db.execute(_count_open, values).scalar_one())


def count_since(db: Transaction, organization_id: str, action: str, since: datetime) -> int:
    """Return how many handshakes of this kind an organization began after this moment."""
    values = {"organization_id": organization_id, "action": action, "since": since}
    return int(db.execute(_count_since, values).scalar_one())


def all_parts_agreed(db: Transaction, parent_id: str) -> bool:
    """Tell whether every part of a handshake has been accepted, but for those of accounts that have left since."""
    return db.execute(_unanswered_parts, {"parent_id": parent_id}).first() is None


def add(db: Transaction, row: HandshakeRow) -> None:
    """Keep a new handshake."""
    add_all(db, [row])


def add_all(db: Transaction, rows: Sequence[HandshakeRow]) -> None:
    """Keep new handshakes, in one statement."""
    _insert.run_each(db, rows)


def set_state(db: Transaction, handshake_id: str, state: str, *, ended_at: datetime | None) -> None:
    """Bring a handshake into another state, which ends it where a moment is given."""
    db.execute(_set_state, {"of_handshake": handshake_id, "new_state": state, "ends_at": ended_at})


def cancel_within(db: Transaction, organization_id: str, recipients: Sequence[str], *, at: datetime) -> None:
    """Cancel what an organization still waits for an account with these keys to answer."""
    values = {"of_organization": organization_id, "recipients": list(recipients), "ends_at": at}
    db.execute(_cancel_within, values)


def cancel_parts(db: Transaction, parent_id: str, *, at: datetime) -> None:
    """Cancel the parts of a handshake that still wait for an answer."""
    db.execute(_cancel_parts, {"of_parent": parent_id, "ends_at": at})


def remove_to(db: Transaction, recipients: Sequence[str]) -> None:
    """Forget every handshake made out to these keys: they may be another account's later."""
    db.execute(_remove_to, {"recipients": list(recipients)})


def remove_before(db: Transaction, organization_id: str, before: datetime) -> None:
    """Forget the handshakes of an organization that ended, or expired, before this moment."""
    db.execute(_remove_before, {"of_organization": organization_id, "before": before})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every handshake of an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})


def _filters(actions: Sequence[str], parent_id: str | None, since: datetime, after: str, limit: int) -> dict[str, object]:
    return {"actions": list(actions), "parent_id": parent_id, "since": since, "after": after, "limit": limit}
