"""Versions of customer managed policies: the documents, byte for byte as they came, never changed once kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, Text, bindparam, delete, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.policies import policies
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "policy_versions",
    metadata,
    Column("policy_id", UniqueId, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("document", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a policy; `version` is 1 for `v1`."""

    policy_id: str
    version: int
    account_id: str
    document: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """The version of a policy that is in force. `policy_id` and `version` name this very document for ever."""

    arn: str
    policy_id: str
    name: str
    version: int
    document: str


_in_account = table.c.account_id == bindparam("account_id")
_numbered = RowQuery(
    VersionRow,
    select(table).where(_in_account, table.c.policy_id == bindparam("policy_id"), table.c.version == bindparam("version")),
)
_of_policies = RowQuery(
    VersionRow,
    select(table)
    .where(_in_account, table.c.policy_id.in_(bindparam("policy_ids", expanding=True)))
    .order_by(table.c.policy_id, table.c.version.desc()),
)
_page = RowQuery(
    VersionRow,
    select(table)
    .where(_in_account, table.c.policy_id == bindparam("policy_id"), table.c.version < bindparam("before"))
    .order_by(table.c.version.desc())
    .limit(bindparam("limit")),
)
_count = select(func.count()).select_from(table).where(_in_account, table.c.policy_id == bindparam("policy_id"))
_remove_all = delete(table).where(_in_account, table.c.policy_id == bindparam("policy_id"))
_remove = _remove_all.where(table.c.version == bindparam("version"))
_defaults = RowQuery(
    DefaultRow,
    select(policies.table.c.arn, policies.table.c.policy_id, policies.table.c.name, table.c.version, table.c.document)
    .select_from(policies.table)
    .join(
        table,
        (table.c.policy_id == policies.table.c.policy_id) & (table.c.version == policies.table.c.default_version),
    )
    .where(
        policies.table.c.account_id == bindparam("account_id"),
        policies.table.c.arn.in_(bindparam("arns", expanding=True)),
    )
    .order_by(policies.table.c.arn),
)
_insert = RowInsert(VersionRow, table)


def defaults_of(db: Transaction, account_id: str, arns: Sequence[str]) -> list[DefaultRow]:
    """Return the documents in force of those of the account's own policies that these ARNs name, by ARN, in one query.

    AWS's own policies are no rows: `catalogue.managed_policies` has them.
    """
    if not arns:
        return []
    return _defaults.all(db, {"account_id": account_id, "arns": list(arns)})


def numbered(db: Transaction, account_id: str, policy_id: str, version: int) -> VersionRow | None:
    """Return one version of a policy."""
    return _numbered.first(db, {"account_id": account_id, "policy_id": policy_id, "version": version})


def page(db: Transaction, account_id: str, policy_id: str, *, before: int, limit: int) -> list[VersionRow]:
    """Return up to `limit` versions of a policy, the newest first, from the one older than `before`."""
    values = {"account_id": account_id, "policy_id": policy_id, "before": before, "limit": limit}
    return _page.all(db, values)


def of_policies(db: Transaction, account_id: str, policy_ids: Sequence[str]) -> list[VersionRow]:
    """Return all versions of these policies, by policy and the newest first, in one query."""
    if not policy_ids:
        return []
    return _of_policies.all(db, {"account_id": account_id, "policy_ids": list(policy_ids)})


def count(db: Transaction, account_id: str, policy_id: str) -> int:
    """Return how many versions a policy has."""
    return int(db.execute(_count, {"account_id": account_id, "policy_id": policy_id}).scalar_one())


def add(db: Transaction, row: VersionRow) -> None:
    """Keep a new version."""
    _insert.run(db, row)


def remove(db: Transaction, account_id: str, policy_id: str, version: int) -> None:
    """Forget one version."""
    db.execute(_remove, {"account_id": account_id, "policy_id": policy_id, "version": version})


def remove_all(db: Transaction, account_id: str, policy_id: str) -> None:
    """Forget every version of a policy."""
    db.execute(_remove_all, {"account_id": account_id, "policy_id": policy_id})
