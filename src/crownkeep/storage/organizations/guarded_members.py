"""Guarded members: which accounts of an organization have the guard of the last way in switched on."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select

from crownkeep.storage.accounts import last_way_in_guards
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organization_accounts

_guards, _members = last_way_in_guards.table, organization_accounts.table
_in_organization = (
    select(_guards.c.account_id)
    .join(_members, _members.c.account_id == _guards.c.account_id)
    .where(_members.c.organization_id == bindparam("of_organization"), or_(_guards.c.by_account, _guards.c.by_operator))
    .order_by(_guards.c.account_id)
    .limit(bindparam("limit"))
)


def page(db: Transaction, organization_id: str, *, limit: int) -> list[str]:
    """Return the ids of up to `limit` accounts in an organization whose guard is on, in their order."""
    return list(db.execute(_in_organization, {"of_organization": organization_id, "limit": limit}).scalars())
