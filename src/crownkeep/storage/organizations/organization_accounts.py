"""Which account is in which organization, and under which root or unit; the management account has a row as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Select, String, Table, bindparam, delete, func, select, update

from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, metadata
from crownkeep.storage.rows import Cells, RowInsert, RowQuery, part

table = Table(
    "organization_accounts",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("organization_id", OrganizationId, nullable=False),
    Column("management_account_id", AccountId, nullable=False),
    Column("parent_id", OrganizationId, nullable=False),
    Column("joined_method", String(16), nullable=False),
    Column("joined_at", Moment, nullable=False),
    Index(None, "organization_id", "account_id"),
    Index(None, "organization_id", "parent_id", "account_id"),
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One account in an organization. It is the management account where both account ids are the same."""

    account_id: str
    organization_id: str
    management_account_id: str
    """Never changes while an organization stands."""
    parent_id: str
    """A root (`r-...`) or a unit (`ou-...`)."""
    joined_method: str
    """`INVITED` (also of the management account) or `CREATED`."""
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """A member, and the account itself."""

    member: MemberRow
    account: AccountRow


_both = select(table, accounts.table).join(accounts.table, accounts.table.c.account_id == table.c.account_id)
_member = part(MemberRow, _both, table)
_account = part(AccountRow, _both, accounts.table)
_in_organization = table.c.organization_id == bindparam("organization_id")
_of_account = RowQuery(MemberRow, select(table).where(table.c.account_id == bindparam("account_id")))
_in = _both.where(_in_organization, table.c.account_id == bindparam("account_id"))
_with_ids = _both.where(_in_organization, table.c.account_id.in_(bindparam("account_ids", expanding=True)))
_count = select(func.count()).select_from(table).where(_in_organization)
_invited = select(table.c.account_id).where(_in_organization, table.c.joined_method == "INVITED").order_by(table.c.account_id)
_count_closed_since = (
    select(func.count())
    .select_from(table.join(accounts.table, accounts.table.c.account_id == table.c.account_id))
    .where(_in_organization, accounts.table.c.closed_at > bindparam("since"))
)
_count_open = (
    select(func.count())
    .select_from(table.join(accounts.table, accounts.table.c.account_id == table.c.account_id))
    .where(_in_organization, accounts.table.c.closed_at.is_(None))
)
_has_children = select(table.c.account_id).where(_in_organization, table.c.parent_id == bindparam("parent_id")).limit(1)
_move = update(table).where(table.c.account_id == bindparam("of_account")).values(parent_id=bindparam("new_parent"))
_remove = delete(table).where(table.c.account_id == bindparam("of_account"))
_insert = RowInsert(MemberRow, table)


def _paged(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.where(_in_organization, table.c.account_id > bindparam("after"))
        .order_by(table.c.account_id)
        .limit(bindparam("limit"))
    )


_page = _paged(_both)
_page_under = _paged(_both).where(table.c.parent_id == bindparam("parent_id"))


def of_account(db: Transaction, account_id: str) -> MemberRow | None:
    """Return an account's place in its organization, or None where it is in none."""
    return _of_account.first(db, {"account_id": account_id})


def within(db: Transaction, organization_id: str, account_id: str) -> MemberAccount | None:
    """Return an account of this very organization, with the account itself."""
    row = db.execute(_in, {"organization_id": organization_id, "account_id": account_id}).first()
    return _read(row) if row else None


def with_ids(db: Transaction, organization_id: str, account_ids: Sequence[str]) -> dict[str, MemberAccount]:
    """Return those of these accounts that are in the organization, by id and in one query."""
    if not account_ids:
        return {}
    values = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {found.member.account_id: found for found in map(_read, db.execute(_with_ids, values))}


def page(db: Transaction, organization_id: str, *, after: str, limit: int) -> list[MemberAccount]:
    """Return up to `limit` accounts of an organization in the order of their ids, from the one after `after`."""
    values = {"organization_id": organization_id, "after": after, "limit": limit}
    return [_read(row) for row in db.execute(_page, values)]


def page_under(db: Transaction, organization_id: str, parent_id: str, *, after: str, limit: int) -> list[MemberAccount]:
    """Return up to `limit` accounts directly under a root or unit in the order of their ids, from the one after `after`."""
    values = {"organization_id": organization_id, "parent_id": parent_id, "after": after, "limit": limit}
    return [_read(row) for row in db.execute(_page_under, values)]


def invited(db: Transaction, organization_id: str) -> list[str]:
    """Return the ids of the accounts that joined by invitation, the management account among them."""
    return list(db.execute(_invited, {"organization_id": organization_id}).scalars())


def count(db: Transaction, organization_id: str) -> int:
    """Return how many accounts an organization has, the management account and closed ones among them."""
    return int(db.execute(_count, {"organization_id": organization_id}).scalar_one())


def count_open(db: Transaction, organization_id: str) -> int:
    """Return how many accounts of an organization aren't closed, the management account among them."""
    return int(db.execute(_count_open, {"organization_id": organization_id}).scalar_one())


def count_closed_since(db: Transaction, organization_id: str, since: datetime) -> int:
    """Return how many accounts were closed after this moment and still are."""
    return int(db.execute(_count_closed_since, {"organization_id": organization_id, "since": since}).scalar_one())


def has_children(db: Transaction, organization_id: str, parent_id: str) -> bool:
    """Tell whether any account is directly under a root or unit."""
    return db.execute(_has_children, {"organization_id": organization_id, "parent_id": parent_id}).first() is not None


def add(db: Transaction, row: MemberRow) -> None:
    """Keep an account's place in an organization that it joins."""
    _insert.run(db, row)


def move(db: Transaction, account_id: str, parent_id: str) -> None:
    """Put an account under another root or unit of its organization."""
    db.execute(_move, {"of_account": account_id, "new_parent": parent_id})


def remove(db: Transaction, account_id: str) -> None:
    """Forget that an account is in an organization."""
    db.execute(_remove, {"of_account": account_id})


def _read(cells: Cells) -> MemberAccount:
    return MemberAccount(_member(cells), _account(cells))
