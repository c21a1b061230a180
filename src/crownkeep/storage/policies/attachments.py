"""Managed policies attached to users, groups and roles: AWS's own and the account's, by ARN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    PrimaryKeyConstraint,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities.owners import Kind, OwnerKind
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, UniqueId, begins_with, metadata
from crownkeep.storage.prepared import PreparedList
from crownkeep.storage.rows import RowQuery

table = Table(
    "attachments",
    metadata,
    Column("account_id", AccountId, nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("owner_kind", Kind, nullable=False),
    Column("policy_arn", AnyArn, nullable=False),
    Column("attached_at", Moment, nullable=False),
    PrimaryKeyConstraint("account_id", "owner_id", "policy_arn"),
    Index(None, "account_id", "policy_arn", "owner_kind", "owner_id"),
)


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One managed policy attached to one entity. `owner_id` is the unique id of a user, group or role."""

    account_id: str
    owner_id: str
    owner_kind: OwnerKind
    policy_arn: str
    attached_at: datetime


def _row(account_id: str, owner_id: str, owner_kind: str, policy_arn: str, attached_at: datetime) -> AttachmentRow:
    return AttachmentRow(
        account_id=account_id,
        owner_id=owner_id,
        owner_kind=OwnerKind(owner_kind),
        policy_arn=policy_arn,
        attached_at=attached_at,
    )


_in_account = table.c.account_id == bindparam("account_id")
_of_owner = RowQuery(
    _row, select(table).where(_in_account, table.c.owner_id == bindparam("owner_id")).order_by(table.c.policy_arn)
)
_of_owners = RowQuery(
    _row,
    select(table)
    .where(_in_account, table.c.owner_id.in_(bindparam("owner_ids", expanding=True)))
    .order_by(table.c.owner_id, table.c.policy_arn),
)
_to = RowQuery(_row, select(table).where(_in_account, table.c.policy_arn == bindparam("policy_arn")).order_by(table.c.owner_id))
_counts = select(table.c.policy_arn, func.count()).where(_in_account).group_by(table.c.policy_arn)
_counts_of = PreparedList(_counts.where(table.c.policy_arn.in_(bindparam("arns", expanding=True))))
_counts_under = _counts.where(begins_with(table.c.policy_arn, "prefix"))
_remove = delete(table).where(
    _in_account, table.c.owner_id == bindparam("owner_id"), table.c.policy_arn == bindparam("policy_arn")
)


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[AttachmentRow]:
    """Return what is attached to an entity, by ARN."""
    return _of_owner.all(db, {"account_id": account_id, "owner_id": owner_id})


def of_owners(db: Transaction, account_id: str, owner_ids: Sequence[str]) -> list[AttachmentRow]:
    """Return what is attached to any of these entities, by owner and ARN, in one query."""
    if not owner_ids:
        return []
    return _of_owners.all(db, {"account_id": account_id, "owner_ids": list(owner_ids)})


def of_policy(db: Transaction, account_id: str, policy_arn: str) -> list[AttachmentRow]:
    """Return what in the account a managed policy is attached to."""
    return _to.all(db, {"account_id": account_id, "policy_arn": policy_arn})


def counts_of(db: Transaction, account_id: str, arns: Sequence[str]) -> dict[str, int]:
    """Return how many entities of the account each of these policies is attached to; those attached to none are left out."""
    if not arns:
        return {}
    return dict(_counts_of.all(db, {"account_id": account_id, "arns": arns}))


def counts_under(db: Transaction, account_id: str, arn_prefix: str) -> dict[str, int]:
    """Return how many entities of the account each attached policy is attached to, of those whose ARN begins with the prefix."""
    return dict(db.execute(_counts_under, {"account_id": account_id, "prefix": arn_prefix}).all())


def add(db: Transaction, row: AttachmentRow) -> None:
    """Keep a new attachment."""
    db.execute(
        insert(table),
        {
            "account_id": row.account_id,
            "owner_id": row.owner_id,
            "owner_kind": row.owner_kind.value,
            "policy_arn": row.policy_arn,
            "attached_at": row.attached_at,
        },
    )


def remove(db: Transaction, account_id: str, owner_id: str, policy_arn: str) -> bool:
    """Forget an attachment; returns whether there was one."""
    values = {"account_id": account_id, "owner_id": owner_id, "policy_arn": policy_arn}
    return db.execute(_remove, values).rowcount > 0


def is_attached(account_id: Column[str], arn: Column[str]) -> ColumnElement[bool]:
    """Return the condition, for other topics' queries, that a policy is attached to anything in its account."""
    return exists().where(table.c.account_id == account_id, table.c.policy_arn == arn)
