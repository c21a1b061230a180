"""When each user, role and root last asked each service for each action, whether or not it was allowed to: for access reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "service_uses",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("entity_id", UniqueId, nullable=False),
    Column("service", String(64), nullable=False),
    Column("action", String(128), nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("region", String(64), nullable=False),
    PrimaryKeyConstraint("account_id", "entity_id", "service", "action"),
)


@dataclass(frozen=True, slots=True)
class ServiceUseRow:
    """The last use of one action. `entity_id` is the unique id of a user or role, or the account id for root."""

    account_id: str
    entity_id: str
    service: str
    """The prefix of the action, such as `iam`."""
    action: str
    """The name without the prefix, such as `ListUsers`."""
    used_at: datetime
    region: str


_set = (
    update(table)
    .where(
        table.c.account_id == bindparam("of_account"),
        table.c.entity_id == bindparam("of_entity"),
        table.c.service == bindparam("of_service"),
        table.c.action == bindparam("of_action"),
    )
    .values(used_at=bindparam("at"), region=bindparam("from_region"))
)
_of_entities = RowQuery(
    ServiceUseRow,
    select(table).where(
        table.c.account_id == bindparam("account_id"), table.c.entity_id.in_(bindparam("entity_ids", expanding=True))
    ),
)
_remove_all = delete(table).where(table.c.account_id == bindparam("account_id"), table.c.entity_id == bindparam("entity_id"))
_insert = RowInsert(ServiceUseRow, table)


def put(db: Transaction, row: ServiceUseRow) -> None:
    """Remember a use in the place of the one before."""
    which = {
        "of_account": row.account_id,
        "of_entity": row.entity_id,
        "of_service": row.service,
        "of_action": row.action,
    }
    if not db.execute(_set, {**which, "at": row.used_at, "from_region": row.region}).rowcount:
        _insert.run(db, row)


def of_entities(db: Transaction, account_id: str, entity_ids: Sequence[str]) -> list[ServiceUseRow]:
    """Return the last uses of these entities, in one query."""
    if not entity_ids:
        return []
    values = {"account_id": account_id, "entity_ids": list(entity_ids)}
    return _of_entities.all(db, values)


def remove_all(db: Transaction, account_id: str, entity_id: str) -> None:
    """Forget the uses of an entity that goes."""
    db.execute(_remove_all, {"account_id": account_id, "entity_id": entity_id})
