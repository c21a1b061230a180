"""Organizations: which account manages each, its root, and the one UPDATE that voids what is cached of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, bindparam, delete, insert, select, update

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.rows import RowQuery

table = Table(
    "organizations",
    metadata,
    Column("organization_id", OrganizationId, primary_key=True),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, unique=True),
    Column("feature_set", String(32), nullable=False),
    Column("root_id", OrganizationId, nullable=False),
    Column("created_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One organization. `feature_set` is `ALL` or `CONSOLIDATED_BILLING`; its only root is named `Root`."""

    organization_id: str
    management_account_id: str
    feature_set: str
    root_id: str
    created_at: datetime


_all = select(
    *(column for column in table.columns if column is not table.c.account_id), table.c.account_id.label("management_account_id")
)
_with_id = _all.where(table.c.organization_id == bindparam("organization_id"))
_by_id = RowQuery(OrganizationRow, _with_id)
_held = RowQuery(OrganizationRow, _with_id.with_for_update())
_by_ids = RowQuery(OrganizationRow, _all.where(table.c.organization_id.in_(bindparam("organization_ids", expanding=True))))
_managed_by = RowQuery(OrganizationRow, _all.where(table.c.account_id == bindparam("account_id")))
_of_account = RowQuery(
    OrganizationRow,
    _all.join(organization_accounts.table, organization_accounts.table.c.organization_id == table.c.organization_id).where(
        organization_accounts.table.c.account_id == bindparam("account_id")
    ),
)
_set_feature_set = (
    update(table).where(table.c.organization_id == bindparam("of_organization")).values(feature_set=bindparam("new_feature_set"))
)
_touch_members = (
    update(accounts.table)
    .where(
        accounts.table.c.account_id.in_(
            select(organization_accounts.table.c.account_id).where(
                organization_accounts.table.c.organization_id == bindparam("of_organization")
            )
        )
    )
    .values(revision=bindparam("fresh_revision"))
)


def with_id(db: Transaction, organization_id: str) -> OrganizationRow | None:
    """Return the organization with this id."""
    return _by_id.first(db, {"organization_id": organization_id})


def with_ids(db: Transaction, organization_ids: Sequence[str]) -> dict[str, OrganizationRow]:
    """Return those of these organizations that exist, by id and in one query."""
    if not organization_ids:
        return {}
    found = _by_ids.all(db, {"organization_ids": list(organization_ids)})
    return {row.organization_id: row for row in found}


def managed_by(db: Transaction, account_id: str) -> OrganizationRow | None:
    """Return the organization that this account manages."""
    return _managed_by.first(db, {"account_id": account_id})


def of_account(db: Transaction, account_id: str) -> OrganizationRow | None:
    """Return the organization that this account is in, as its manager or as a member."""
    return _of_account.first(db, {"account_id": account_id})


def hold(db: Transaction, organization_id: str) -> OrganizationRow | None:
    """Return the organization and hold its row to the transaction's end: changes to its structure come one by one."""
    return _held.first(db, {"organization_id": organization_id})


def add(db: Transaction, row: OrganizationRow) -> None:
    """Keep a new organization; its management account becomes its first member apart from this."""
    db.execute(
        insert(table),
        {
            "organization_id": row.organization_id,
            "account_id": row.management_account_id,
            "feature_set": row.feature_set,
            "root_id": row.root_id,
            "created_at": row.created_at,
        },
    )


def set_feature_set(db: Transaction, organization_id: str, feature_set: str) -> None:
    """Give an organization another feature set."""
    db.execute(_set_feature_set, {"of_organization": organization_id, "new_feature_set": feature_set})


def touch_members(db: Transaction, organization_id: str, revision: int) -> None:
    """Give every account of an organization a fresh revision: every cache of them is void when this commits."""
    db.execute(_touch_members, {"of_organization": organization_id, "fresh_revision": revision})


def remove(db: Transaction, organization_id: str) -> None:
    """Forget an organization's own row."""
    db.execute(delete(table).where(table.c.organization_id == organization_id))
