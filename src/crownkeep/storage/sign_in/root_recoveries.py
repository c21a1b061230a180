"""Recoveries of root users whose MFA devices are lost: one at a time for each account, from the request to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam, delete, select, update

from crownkeep.storage.approvals import custodians as custodian_rows
from crownkeep.storage.approvals.custodians import CustodianRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "root_recoveries",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("link_digest", LargeBinary(32), nullable=False, unique=True),
    Column("credential_version", LargeBinary(32), nullable=False),
    Column("requested_at", Moment, nullable=False),
    Column("address", String(64), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("code_digest", LargeBinary(32)),
    Column("custodian_digest", LargeBinary(32), unique=True),
    Column("attempts", Integer, nullable=False),
    Column("confirmed_at", Moment),
    Column("confirmed_by", String(254)),
)

custodians = Table(
    "root_custodians",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("custodian_id", UniqueId, nullable=False, index=True),
    Column("set_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RootRecoveryRow:
    """One recovery. Links are kept as the digests that `credentials.one_time_links` makes of their tokens."""

    account_id: str
    link_digest: bytes
    credential_version: bytes
    """What root's credentials were when it began; when they change, it is void."""
    requested_at: datetime
    address: str
    expires_at: datetime
    opened_at: datetime | None = None
    """When whoever reads root's mailbox opened the link and was shown the code."""
    code_digest: bytes | None = None
    custodian_digest: bytes | None = None
    attempts: int = 0
    """Wrong codes so far."""
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class RootCustodianRow:
    """Which custodian of the installation may confirm the recoveries of an account's root user, beside the operator."""

    account_id: str
    custodian_id: str
    set_at: datetime


_of_account = RowQuery(RootRecoveryRow, select(table).where(table.c.account_id == bindparam("of_account")))
_with_link = RowQuery(RootRecoveryRow, select(table).where(table.c.link_digest == bindparam("of_digest")))
_with_custodian_link = RowQuery(RootRecoveryRow, select(table).where(table.c.custodian_digest == bindparam("of_digest")))
_remove = delete(table).where(table.c.account_id == bindparam("of_account"))
_custodian = RowQuery(
    CustodianRow,
    select(custodian_rows.table)
    .join(custodians, custodians.c.custodian_id == custodian_rows.table.c.custodian_id)
    .where(custodians.c.account_id == bindparam("of_account")),
)
_remove_custody = delete(custodians).where(custodians.c.custodian_id == bindparam("of_custodian"))
_remove_custodian = delete(custodians).where(custodians.c.account_id == bindparam("of_account"))
_insert = RowInsert(RootRecoveryRow, table)
_insert_custodian = RowInsert(RootCustodianRow, custodians)


def of_account(db: Transaction, account_id: str) -> RootRecoveryRow | None:
    """Return the account's recovery, expired or not."""
    return _of_account.first(db, {"of_account": account_id})


def with_link(db: Transaction, digest: bytes) -> RootRecoveryRow | None:
    """Return the recovery whose mailed link has this digest, expired or not."""
    return _with_link.first(db, {"of_digest": digest})


def with_custodian_link(db: Transaction, digest: bytes) -> RootRecoveryRow | None:
    """Return the recovery that a custodian's link is for, expired or not."""
    return _with_custodian_link.first(db, {"of_digest": digest})


def put(db: Transaction, row: RootRecoveryRow) -> None:
    """Keep a new recovery in the place of the account's one before, whose links are void."""
    # One for each account, so that a new request voids the links of the one before.
    remove(db, row.account_id)
    _insert.run(db, row)


def change(db: Transaction, account_id: str, **values: object) -> None:
    """Set some columns of an account's recovery."""
    db.execute(update(table).where(table.c.account_id == account_id).values(**values))


def remove(db: Transaction, account_id: str) -> None:
    """Forget the account's recovery."""
    db.execute(_remove, {"of_account": account_id})


def custodian(db: Transaction, account_id: str) -> CustodianRow | None:
    """Return the custodian who may confirm the account's recoveries."""
    return _custodian.first(db, {"of_account": account_id})


def put_custodian(db: Transaction, row: RootCustodianRow) -> None:
    """Keep an account's custodian, in the place of the one before."""
    remove_custodian(db, row.account_id)
    _insert_custodian.run(db, row)


def remove_custodian(db: Transaction, account_id: str) -> bool:
    """Forget an account's custodian; returns whether there was one."""
    return db.execute(_remove_custodian, {"of_account": account_id}).rowcount > 0


def remove_custody(db: Transaction, custodian_id: str) -> None:
    """Take from somebody every account whose recoveries they may confirm."""
    db.execute(_remove_custody, {"of_custodian": custodian_id})
