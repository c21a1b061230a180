"""Whom to reach about an account: up to three alternate contacts, and the primary contact's address."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, String, Table, bindparam, delete, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

alternates = Table(
    "alternate_contacts",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("contact_type", String(10), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("title", String(50), nullable=False),
    Column("email_address", String(254), nullable=False),
    Column("phone_number", String(25), nullable=False),
)

primaries = Table(
    "primary_contacts",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("full_name", String(50), nullable=False),
    Column("address_line_1", String(60), nullable=False),
    Column("address_line_2", String(60)),
    Column("address_line_3", String(60)),
    Column("city", String(50), nullable=False),
    Column("state_or_region", String(50)),
    Column("district_or_county", String(50)),
    Column("postal_code", String(20), nullable=False),
    Column("country_code", String(2), nullable=False),
    Column("phone_number", String(20), nullable=False),
    Column("company_name", String(50)),
    Column("website_url", String(256)),
)


@dataclass(frozen=True, slots=True)
class AlternateContactRow:
    """One alternate contact. `contact_type` is `BILLING`, `OPERATIONS` or `SECURITY`."""

    account_id: str
    contact_type: str
    name: str
    title: str
    email_address: str
    phone_number: str


@dataclass(frozen=True, slots=True)
class PrimaryContactRow:
    """An account's primary contact."""

    account_id: str
    full_name: str
    address_line_1: str
    address_line_2: str | None
    address_line_3: str | None
    city: str
    state_or_region: str | None
    district_or_county: str | None
    postal_code: str
    country_code: str
    phone_number: str
    company_name: str | None
    website_url: str | None


_is_alternate = (alternates.c.account_id == bindparam("of_account"), alternates.c.contact_type == bindparam("of_type"))
_alternate = RowQuery(AlternateContactRow, select(alternates).where(*_is_alternate))
_change_alternate = update(alternates).where(*_is_alternate)
_remove_alternate = delete(alternates).where(*_is_alternate)
_primary = RowQuery(PrimaryContactRow, select(primaries).where(primaries.c.account_id == bindparam("of_account")))
_change_primary = update(primaries).where(primaries.c.account_id == bindparam("of_account"))
_insert_alternate = RowInsert(AlternateContactRow, alternates)
_insert_primary = RowInsert(PrimaryContactRow, primaries)


def alternate(db: Transaction, account_id: str, contact_type: str) -> AlternateContactRow | None:
    """Return the account's contact of this type."""
    return _alternate.first(db, {"of_account": account_id, "of_type": contact_type})


def add_alternate(db: Transaction, row: AlternateContactRow) -> None:
    """Keep a contact of a type that the account has none of."""
    _insert_alternate.run(db, row)


def change_alternate(db: Transaction, row: AlternateContactRow) -> bool:
    """Put this contact in the place of the one of its type; returns whether there was one."""
    values = {name: value for name, value in _insert_alternate.values(row).items() if not alternates.c[name].primary_key}
    keys = {"of_account": row.account_id, "of_type": row.contact_type}
    return db.execute(_change_alternate.values(values), keys).rowcount > 0


def remove_alternate(db: Transaction, account_id: str, contact_type: str) -> bool:
    """Forget the account's contact of this type; returns whether there was one."""
    return db.execute(_remove_alternate, {"of_account": account_id, "of_type": contact_type}).rowcount > 0


def primary(db: Transaction, account_id: str) -> PrimaryContactRow | None:
    """Return the account's primary contact."""
    return _primary.first(db, {"of_account": account_id})


def add_primary(db: Transaction, row: PrimaryContactRow) -> None:
    """Keep the primary contact of an account that has none."""
    _insert_primary.run(db, row)


def change_primary(db: Transaction, row: PrimaryContactRow) -> bool:
    """Put this in the place of the account's primary contact, whole; returns whether there was one."""
    values = {name: value for name, value in _insert_primary.values(row).items() if not primaries.c[name].primary_key}
    return db.execute(_change_primary.values(values), {"of_account": row.account_id}).rowcount > 0
