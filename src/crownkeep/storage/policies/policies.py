"""Customer managed policies: named within an account without regard to case, found by ARN; their documents are its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.policies import attachments, boundaries
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "policies",
    metadata,
    Column("policy_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("arn", AnyArn, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("description", String(1000)),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("default_version", Integer, nullable=False),
    Column("last_version", Integer, nullable=False),
    UniqueConstraint("account_id", "name_key"),
    UniqueConstraint("arn"),
)


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One customer managed policy. Versions are numbered from 1; `last_version` is the highest ever used, so none comes again."""

    policy_id: str
    account_id: str
    arn: str
    name: str
    name_key: str
    path: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    default_version: int
    last_version: int


class Usage(Enum):
    """Which policies a list is limited to, by what they are used for."""

    ANY = "any"
    """Used or not."""
    ATTACHED = "attached"
    """Attached to a user, group or role."""
    BOUNDARY = "boundary"
    """The permissions boundary of a user or role."""
    EITHER = "either"
    """Attached, or a boundary."""


_by_arn = RowQuery(PolicyRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.arn == bindparam("arn")))
_named = RowQuery(
    PolicyRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.name_key == bindparam("name_key"))
)
_by_ids = RowQuery(
    PolicyRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.policy_id.in_(bindparam("policy_ids", expanding=True)))
    .order_by(table.c.name_key),
)
_count = select(func.count()).select_from(table).where(table.c.account_id == bindparam("account_id"))
_this = (table.c.account_id == bindparam("of_account"), table.c.policy_id == bindparam("of_policy"))
_set_default = update(table).where(*_this).values(default_version=bindparam("version"))
_set_last_version = update(table).where(*_this).values(last_version=bindparam("version"), updated_at=bindparam("at"))
_remove = delete(table).where(*_this)
_insert = RowInsert(PolicyRow, table)


def _page(usage: Usage) -> Select[*tuple[Any, ...]]:
    uses: dict[Usage, list[ColumnElement[bool]]] = {
        Usage.ANY: [],
        Usage.ATTACHED: [attachments.is_attached(table.c.account_id, table.c.arn)],
        Usage.BOUNDARY: [boundaries.is_boundary(table.c.account_id, table.c.arn)],
        Usage.EITHER: [
            attachments.is_attached(table.c.account_id, table.c.arn) | boundaries.is_boundary(table.c.account_id, table.c.arn)
        ],
    }
    return (
        select(table)
        .where(
            table.c.account_id == bindparam("account_id"),
            table.c.name_key > bindparam("after"),
            begins_with(table.c.path, "prefix"),
            *uses[usage],
        )
        .order_by(table.c.name_key)
        .limit(bindparam("limit"))
    )


_pages = {usage: RowQuery(PolicyRow, _page(usage)) for usage in Usage}


def with_arn(db: Transaction, account_id: str, arn: str) -> PolicyRow | None:
    """Return the account's policy with this very ARN, letter for letter."""
    return _by_arn.first(db, {"account_id": account_id, "arn": arn})


def named(db: Transaction, account_id: str, name: str) -> PolicyRow | None:
    """Return the policy with this name, whatever its letters' case and its path."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def with_ids(db: Transaction, account_id: str, policy_ids: Sequence[str]) -> list[PolicyRow]:
    """Return the policies with these unique ids, by name, in one query."""
    if not policy_ids:
        return []
    return _by_ids.all(db, {"account_id": account_id, "policy_ids": list(policy_ids)})


def page(db: Transaction, account_id: str, *, path_prefix: str, usage: Usage, after: str, limit: int) -> list[PolicyRow]:
    """Return up to `limit` policies in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "after": after, "prefix": path_prefix, "limit": limit}
    return _pages[usage].all(db, values)


def count(db: Transaction, account_id: str) -> int:
    """Return how many customer managed policies the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: PolicyRow) -> None:
    """Keep a new policy; its first version is kept apart."""
    _insert.run(db, row)


def set_default(db: Transaction, account_id: str, policy_id: str, version: int) -> None:
    """Put another version of a policy in force."""
    db.execute(_set_default, {"of_account": account_id, "of_policy": policy_id, "version": version})


def set_last_version(db: Transaction, account_id: str, policy_id: str, version: int, *, at: datetime) -> None:
    """Note that a policy has a new version, and since when."""
    values = {"of_account": account_id, "of_policy": policy_id, "version": version, "at": at}
    db.execute(_set_last_version, values)


def remove(db: Transaction, account_id: str, policy_id: str) -> None:
    """Forget a policy's own row."""
    db.execute(_remove, {"of_account": account_id, "of_policy": policy_id})
