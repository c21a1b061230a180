"""Which policies bound the permissions of users and roles, asked from the policy's side."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Index, bindparam, exists, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles, users
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.prepared import PreparedList

Index(None, users.table.c.account_id, users.table.c.boundary_arn)
Index(None, roles.table.c.account_id, roles.table.c.boundary_arn)

# The entities that can have a boundary: a further kind is a further table here.
_bounded = (users.table, roles.table)

_counts_of = tuple(
    PreparedList(
        select(table.c.boundary_arn, func.count())
        .where(table.c.account_id == bindparam("account_id"), table.c.boundary_arn.in_(bindparam("arns", expanding=True)))
        .group_by(table.c.boundary_arn)
    )
    for table in _bounded
)
_counts_under = tuple(
    select(table.c.boundary_arn, func.count())
    .where(table.c.account_id == bindparam("account_id"), begins_with(table.c.boundary_arn, "prefix"))
    .group_by(table.c.boundary_arn)
    for table in _bounded
)


def counts_of(db: Transaction, account_id: str, arns: Sequence[str]) -> dict[str, int]:
    """Return of how many entities each of these policies is the boundary; those that bound nothing are left out."""
    counts: dict[str, int] = {}
    if not arns:
        return counts
    for statement in _counts_of:
        for arn, count in statement.all(db, {"account_id": account_id, "arns": arns}):
            counts[arn] = counts.get(arn, 0) + count
    return counts


def counts_under(db: Transaction, account_id: str, arn_prefix: str) -> dict[str, int]:
    """Return of how many entities each policy is the boundary, of those whose ARN begins with the prefix."""
    counts: dict[str, int] = {}
    for statement in _counts_under:
        for arn, count in db.execute(statement, {"account_id": account_id, "prefix": arn_prefix}):
            counts[arn] = counts.get(arn, 0) + count
    return counts


def is_boundary(account_id: Column[str], arn: Column[str]) -> ColumnElement[bool]:
    """Return the condition, for other topics' queries, that a policy is the boundary of anything in its account."""
    first, *others = (exists().where(table.c.account_id == account_id, table.c.boundary_arn == arn) for table in _bounded)
    condition: ColumnElement[bool] = first
    for other in others:
        condition = condition | other
    return condition
