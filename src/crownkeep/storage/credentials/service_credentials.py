"""Service-specific credentials of users: at most two for each service, their secrets hashed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, String, Table, UniqueConstraint, bindparam, delete, func, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery, part

table = Table(
    "service_credentials",
    metadata,
    Column("credential_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("user_id", UniqueId, nullable=False),
    Column("service", String(64), nullable=False),
    Column("public_name", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Index(None, "account_id", "user_id"),
    # Programs sign in with the public name alone, so it must name one user.
    UniqueConstraint("account_id", "service", "public_name"),
)


@dataclass(frozen=True, slots=True)
class ServiceCredentialRow:
    """One credential. `public_name` is its user name or, of an API key, its alias."""

    credential_id: str
    account_id: str
    user_id: str
    service: str
    public_name: str
    digest: str
    status: str
    created_at: datetime
    expires_at: datetime | None


_in_account = table.c.account_id == bindparam("account_id")
_of_user_in_account = (_in_account, table.c.user_id == bindparam("user_id"))
_this = (table.c.account_id == bindparam("of_account"), table.c.credential_id == bindparam("of_credential"))
_with_id = RowQuery(
    ServiceCredentialRow, select(table).where(*_of_user_in_account, table.c.credential_id == bindparam("credential_id"))
)
_of_user = RowQuery(ServiceCredentialRow, select(table).where(*_of_user_in_account).order_by(table.c.credential_id))
_of_service = (
    select(table, users.table.c.name.label("user_name"))
    .select_from(table.join(users.table, users.table.c.user_id == table.c.user_id))
    .where(_in_account, table.c.service == bindparam("service"), table.c.credential_id > bindparam("after"))
    .order_by(table.c.credential_id)
    .limit(bindparam("limit"))
)
_credential = part(ServiceCredentialRow, _of_service, table)
_taken = (
    select(func.count())
    .select_from(table)
    .where(_in_account, table.c.service == bindparam("service"), table.c.public_name == bindparam("public_name"))
)
_count = select(func.count()).select_from(table).where(*_of_user_in_account)
_set_status = update(table).where(*_this).values(status=bindparam("new_status"))
_set_digest = update(table).where(*_this).values(digest=bindparam("new_digest"))
_remove = delete(table).where(*_this)
_insert = RowInsert(ServiceCredentialRow, table)


def with_id(db: Transaction, account_id: str, user_id: str, credential_id: str) -> ServiceCredentialRow | None:
    """Return a user's credential by its id."""
    return _with_id.first(db, {"account_id": account_id, "user_id": user_id, "credential_id": credential_id})


def of_user(db: Transaction, account_id: str, user_id: str) -> list[ServiceCredentialRow]:
    """Return a user's credentials in the order of their ids; there are few."""
    return _of_user.all(db, {"account_id": account_id, "user_id": user_id})


def of_service(
    db: Transaction, account_id: str, service: str, *, after: str, limit: int
) -> list[tuple[ServiceCredentialRow, str]]:
    """Return up to `limit` credentials of all users for a service, with their users' names, from the id after `after`."""
    values = {"account_id": account_id, "service": service, "after": after, "limit": limit}
    return [(_credential(row), row.user_name) for row in db.execute(_of_service, values)]


def is_taken(db: Transaction, account_id: str, service: str, public_name: str) -> bool:
    """Tell whether some user's credential for a service has this name."""
    values = {"account_id": account_id, "service": service, "public_name": public_name}
    return bool(db.execute(_taken, values).scalar_one())


def count(db: Transaction, account_id: str, user_id: str) -> int:
    """Return how many credentials a user has, for all services."""
    return int(db.execute(_count, {"account_id": account_id, "user_id": user_id}).scalar_one())


def add(db: Transaction, row: ServiceCredentialRow) -> None:
    """Keep a new credential."""
    _insert.run(db, row)


def set_status(db: Transaction, account_id: str, credential_id: str, status: str) -> None:
    """Make a credential `Active` or `Inactive`."""
    db.execute(_set_status, {"of_account": account_id, "of_credential": credential_id, "new_status": status})


def set_digest(db: Transaction, account_id: str, credential_id: str, digest: str) -> None:
    """Give a credential another secret; the one before is void at once."""
    db.execute(_set_digest, {"of_account": account_id, "of_credential": credential_id, "new_digest": digest})


def remove(db: Transaction, account_id: str, credential_id: str) -> None:
    """Forget a credential."""
    db.execute(_remove, {"of_account": account_id, "of_credential": credential_id})
