"""SAML providers whose assertions an account's roles may trust: each is the metadata document that its owner publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, Text, UniqueConstraint, bindparam, delete, func, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, Name, UniqueId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "saml_providers",
    metadata,
    Column("provider_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("arn", AnyArn, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("metadata", Text, nullable=False, key="document"),
    Column("created_at", Moment, nullable=False),
    Column("valid_until", Moment, nullable=False),
    Column("context_provider", Text),
    UniqueConstraint("account_id", "name_key"),
)


@dataclass(frozen=True, slots=True)
class SamlProviderRow:
    """One provider. `document` is the metadata, byte for byte as it came."""

    provider_id: str
    account_id: str
    arn: str
    name_key: str
    document: str
    created_at: datetime
    valid_until: datetime
    context_provider: str | None = None
    """How attributes become context keys of sessions (IAM API reference, ContextProvider), as JSON; None where they don't."""


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.provider_id == bindparam("of_provider"))
_with_arn = RowQuery(SamlProviderRow, select(table).where(_in_account, table.c.arn == bindparam("arn")))
_named = RowQuery(SamlProviderRow, select(table).where(_in_account, table.c.name_key == bindparam("name_key")))
_of_account = RowQuery(SamlProviderRow, select(table).where(_in_account).order_by(table.c.name_key))
_count = select(func.count()).select_from(table).where(_in_account)
_set_metadata = update(table).where(*_this).values(document=bindparam("new_document"), valid_until=bindparam("new_valid_until"))
_set_context = update(table).where(*_this).values(context_provider=bindparam("new_context"))
_remove = delete(table).where(*_this)


def with_arn(db: Transaction, account_id: str, arn: str) -> SamlProviderRow | None:
    """Return the account's provider with this very ARN."""
    return _with_arn.first(db, {"account_id": account_id, "arn": arn})


def named(db: Transaction, account_id: str, name: str) -> SamlProviderRow | None:
    """Return the provider with this name, whatever its letters' case."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def of_account(db: Transaction, account_id: str) -> list[SamlProviderRow]:
    """Return every provider of the account, by name."""
    return _of_account.all(db, {"account_id": account_id})


def count(db: Transaction, account_id: str) -> int:
    """Return how many providers the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: SamlProviderRow) -> None:
    """Keep a new provider."""
    db.execute(
        insert(table),
        {
            "provider_id": row.provider_id,
            "account_id": row.account_id,
            "arn": row.arn,
            "name_key": row.name_key,
            "document": row.document,
            "created_at": row.created_at,
            "valid_until": row.valid_until,
            "context_provider": row.context_provider,
        },
    )


def set_metadata(db: Transaction, account_id: str, provider_id: str, document: str, *, valid_until: datetime) -> None:
    """Set a provider's metadata document."""
    values = {"new_document": document, "new_valid_until": valid_until}
    db.execute(_set_metadata, {"of_account": account_id, "of_provider": provider_id, **values})


def set_context_provider(db: Transaction, account_id: str, provider_id: str, context_provider: str | None) -> None:
    """Set how a provider's attributes become context keys of sessions; None lets none become any."""
    db.execute(_set_context, {"of_account": account_id, "of_provider": provider_id, "new_context": context_provider})


def remove(db: Transaction, account_id: str, provider_id: str) -> None:
    """Forget a provider."""
    db.execute(_remove, {"of_account": account_id, "of_provider": provider_id})
