"""Rules by which the people of an identity store sign in: second factors, how long sessions last, how old passwords may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Column, Integer, String, Table, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.single_sign_on.instances import StoreId

table = Table(
    "person_sign_in_rules",
    metadata,
    Column("identity_store_id", StoreId, primary_key=True),
    # The account that owns the identity store.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("mfa_mode", String(16), nullable=False),
    Column("without_device", String(16), nullable=False),
    Column("session_seconds", Integer, nullable=False),
    Column("max_password_age_days", Integer, nullable=False),
)


class MfaMode(Enum):
    """When people are asked for a second factor; the value is what is kept."""

    ALWAYS = "ALWAYS"
    CONTEXT = "CONTEXT"
    """Where the browser or its network is not one that the person has said to trust."""
    NEVER = "NEVER"


class WithoutDevice(Enum):
    """What becomes of a person who is to be asked for a second factor and has none; the value is what is kept."""

    REGISTER = "REGISTER"
    """They register a device before they go on."""
    ALLOW = "ALLOW"


@dataclass(frozen=True, slots=True)
class SignInRulesRow:
    """One store's rules; a store without a row has these defaults, as a new instance of IAM Identity Center has."""

    identity_store_id: str
    account_id: str
    mfa_mode: MfaMode = MfaMode.CONTEXT
    without_device: WithoutDevice = WithoutDevice.REGISTER
    session_seconds: int = 8 * 3600
    max_password_age_days: int = 0
    """0 for passwords that never expire."""


def _row(
    identity_store_id: str,
    account_id: str,
    mfa_mode: str,
    without_device: str,
    session_seconds: int,
    max_password_age_days: int,
) -> SignInRulesRow:
    return SignInRulesRow(
        identity_store_id=identity_store_id,
        account_id=account_id,
        mfa_mode=MfaMode(mfa_mode),
        without_device=WithoutDevice(without_device),
        session_seconds=session_seconds,
        max_password_age_days=max_password_age_days,
    )


_of_store = RowQuery(_row, select(table).where(table.c.identity_store_id == bindparam("of_store")))
_remove = delete(table).where(table.c.identity_store_id == bindparam("of_store"))
_insert = table.insert()


def of_store(db: Transaction, account_id: str, store_id: str) -> SignInRulesRow:
    """Return a store's rules, the defaults where it has none."""
    return _of_store.first(db, {"of_store": store_id}) or SignInRulesRow(store_id, account_id)


def put(db: Transaction, row: SignInRulesRow) -> None:
    """Keep a store's rules in the place of those before. The account's row must be held."""
    remove(db, row.identity_store_id)
    db.execute(
        _insert,
        {
            "identity_store_id": row.identity_store_id,
            "account_id": row.account_id,
            "mfa_mode": row.mfa_mode.value,
            "without_device": row.without_device.value,
            "session_seconds": row.session_seconds,
            "max_password_age_days": row.max_password_age_days,
        },
    )


def remove(db: Transaction, store_id: str) -> None:
    """Forget the rules of a store that goes."""
    db.execute(_remove, {"of_store": store_id})
