"""Delegation requests: a product provider asks somebody in another account to lend it some of their permissions for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "delegation_requests",
    metadata,
    Column("request_id", String(36), primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("owner_account_id", AccountId),
    Column("owner_arn", AnyArn),
    Column("state", String(16), nullable=False),
    Column("description", String(1000), nullable=False),
    Column("message", String(200)),
    Column("template_arn", AnyArn, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("workflow_id", String(400), nullable=False),
    Column("channel", String(400), nullable=False),
    Column("redirect_url", String(255)),
    Column("seconds", Integer, nullable=False),
    Column("only_send_by_owner", Boolean, nullable=False),
    Column("approver", Text),
    Column("approver_arn", AnyArn),
    Column("notes", String(500)),
    Column("rejection_reason", String(500)),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("released_at", Moment),
    # Whose the request is; the ARN is what is shown.
    Column("owner_id", String(128)),
    UniqueConstraint("account_id", "workflow_id"),
    Index(None, "owner_account_id", "request_id"),
)


@dataclass(frozen=True, slots=True)
class DelegationRequestRow:
    """One request. `account_id` is the provider's; `owner_account_id` that of whoever is asked, None while anybody may be."""

    request_id: str
    account_id: str
    owner_account_id: str | None
    owner_arn: str | None
    state: str
    description: str
    message: str | None
    template_arn: str
    parameters: str
    """What the template was filled in with, as JSON."""
    policy: str
    """The permissions that are asked for."""
    workflow_id: str
    channel: str
    redirect_url: str | None
    seconds: int
    """For how long permissions are lent, from the moment that the token is released."""
    only_send_by_owner: bool
    approver: str | None
    """Whose permissions are lent, as they were when they accepted, in JSON."""
    approver_arn: str | None
    notes: str | None
    rejection_reason: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    released_at: datetime | None
    owner_id: str | None
    """Whose the request is, as `Principal.lasting_id` has it; `owner_arn` is what they were called then."""


_COLUMNS = tuple(column.name for column in table.columns if column.name != "request_id")
_with_id = RowQuery(DelegationRequestRow, select(table).where(table.c.request_id == bindparam("request_id")))
_with_workflow = select(table.c.request_id).where(
    table.c.account_id == bindparam("account_id"), table.c.workflow_id == bindparam("workflow_id")
)
_owned = (
    select(table)
    .where(
        table.c.owner_account_id == bindparam("owner_account_id"),
        table.c.owner_arn.is_not(None),
        table.c.request_id > bindparam("after"),
    )
    .order_by(table.c.request_id)
    .limit(bindparam("limit"))
)
_by_name, _by_id = table.c.owner_arn == bindparam("owner_arn"), table.c.owner_id == bindparam("owner_id")
_owned_by_any = RowQuery(DelegationRequestRow, _owned)
_owned_by_name = RowQuery(DelegationRequestRow, _owned.where(_by_name))
_owned_by = RowQuery(DelegationRequestRow, _owned.where(_by_name, _by_id))
_count = select(func.count()).select_from(table).where(table.c.account_id == bindparam("account_id"))
_remove_ended = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.expires_at < bindparam("ended_before"))
_replace = (
    update(table)
    .where(table.c.request_id == bindparam("of_request"), table.c.updated_at == bindparam("seen_at"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
)
_insert = RowInsert(DelegationRequestRow, table)


def with_id(db: Transaction, request_id: str) -> DelegationRequestRow | None:
    """Return the request with this id, whoever made it and whoever is asked: the caller sees to who may know of it."""
    return _with_id.first(db, {"request_id": request_id})


def has_workflow(db: Transaction, account_id: str, workflow_id: str) -> bool:
    """Tell whether the provider has made a request for this workflow of its own."""
    return db.execute(_with_workflow, {"account_id": account_id, "workflow_id": workflow_id}).first() is not None


def count(db: Transaction, account_id: str) -> int:
    """Return how many requests of a provider are kept."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def owned(
    db: Transaction, owner_account_id: str, *, owner_arn: str | None, owner_id: str | None, after: str, limit: int
) -> list[DelegationRequestRow]:
    """Return up to `limit` requests that identities of an account own, by id from the one after `after`.

    With an ARN those of everybody who was called so, and with an id, too, those of one of them.
    """
    values: dict[str, object] = {"owner_account_id": owner_account_id, "after": after, "limit": limit}
    query = _owned_by_any
    if owner_arn is not None:
        query = _owned_by_name if owner_id is None else _owned_by
        values |= {"owner_arn": owner_arn} if owner_id is None else {"owner_arn": owner_arn, "owner_id": owner_id}
    return query.all(db, values)


def add(db: Transaction, row: DelegationRequestRow) -> None:
    """Keep a new request."""
    _insert.run(db, row)


def replace(db: Transaction, seen: DelegationRequestRow, new: DelegationRequestRow) -> bool:
    """Put a request in the place of the one that was seen; returns False where somebody has changed it since."""
    values = {f"new_{name}": value for name, value in _insert.values(new).items() if name in _COLUMNS}
    return db.execute(_replace, {"of_request": seen.request_id, "seen_at": seen.updated_at, **values}).rowcount > 0


def remove_ended(db: Transaction, account_id: str, *, before: datetime) -> None:
    """Forget a provider's requests that expired before a moment."""
    db.execute(_remove_ended, {"of_account": account_id, "ended_before": before})
