"""Regions that an account has switched on or off itself."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, bindparam, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata

table = Table(
    "region_choices",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("region_name", String(50), primary_key=True),
    Column("status", String(20), nullable=False),
)

_of_account = select(table.c.region_name, table.c.status).where(table.c.account_id == bindparam("account_id"))
_change = (
    update(table)
    .where(table.c.account_id == bindparam("of_account"), table.c.region_name == bindparam("of_region"))
    .values(status=bindparam("new_status"))
)


def of_account(db: Transaction, account_id: str) -> dict[str, str]:
    """Return the status of each Region that the account has chosen about, by the Region's name."""
    return {row[0]: row[1] for row in db.execute(_of_account, {"account_id": account_id})}


def add(db: Transaction, account_id: str, region_name: str, status: str) -> None:
    """Keep the account's first choice about a Region."""
    db.execute(insert(table), {"account_id": account_id, "region_name": region_name, "status": status})


def change(db: Transaction, account_id: str, region_name: str, status: str) -> bool:
    """Put another status in the place of the kept one; returns whether there was one."""
    values = {"of_account": account_id, "of_region": region_name, "new_status": status}
    return db.execute(_change, values).rowcount > 0
