"""OpenID Connect providers whose tokens an account's roles may trust: their URL, who their tokens are for, their thumbprints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, UniqueConstraint, bindparam, delete, func, insert, select, update

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowQuery

table = Table(
    "oidc_providers",
    metadata,
    Column("provider_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("arn", AnyArn, nullable=False),
    Column("url", String(255), nullable=False),
    Column("client_ids", Text, nullable=False),
    Column("thumbprints", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("context_provider", Text),
    UniqueConstraint("account_id", "url"),
)


@dataclass(frozen=True, slots=True)
class OidcProviderRow:
    """One provider. `url` is the issuer's without `https://`, which is also what ends the ARN and names its condition keys."""

    provider_id: str
    account_id: str
    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    created_at: datetime
    context_provider: str | None = None
    """How claims become context keys of sessions (IAM API reference, ContextProvider), as JSON; None where they don't."""


def _row(
    provider_id: str,
    account_id: str,
    arn: str,
    url: str,
    client_ids: str,
    thumbprints: str,
    created_at: datetime,
    context_provider: str | None,
) -> OidcProviderRow:
    # Neither a client id nor a thumbprint can hold a line break.
    return OidcProviderRow(
        provider_id=provider_id,
        account_id=account_id,
        arn=arn,
        url=url,
        client_ids=tuple(client_ids.splitlines()),
        thumbprints=tuple(thumbprints.splitlines()),
        created_at=created_at,
        context_provider=context_provider,
    )


_in_account = table.c.account_id == bindparam("account_id")
_this = (table.c.account_id == bindparam("of_account"), table.c.provider_id == bindparam("of_provider"))
_with_arn = RowQuery(_row, select(table).where(_in_account, table.c.arn == bindparam("arn")))
_with_url = RowQuery(_row, select(table).where(_in_account, table.c.url == bindparam("url")))
_of_account = RowQuery(_row, select(table).where(_in_account).order_by(table.c.arn))
_count = select(func.count()).select_from(table).where(_in_account)
_set_client_ids = update(table).where(*_this).values(client_ids=bindparam("new_client_ids"))
_set_thumbprints = update(table).where(*_this).values(thumbprints=bindparam("new_thumbprints"))
_set_context = update(table).where(*_this).values(context_provider=bindparam("new_context"))
_remove = delete(table).where(*_this)


def with_arn(db: Transaction, account_id: str, arn: str) -> OidcProviderRow | None:
    """Return the account's provider with this very ARN."""
    return _with_arn.first(db, {"account_id": account_id, "arn": arn})


def with_url(db: Transaction, account_id: str, url: str) -> OidcProviderRow | None:
    """Return the account's provider with this URL, given without `https://`."""
    return _with_url.first(db, {"account_id": account_id, "url": url})


def of_account(db: Transaction, account_id: str) -> list[OidcProviderRow]:
    """Return every provider of the account, by ARN."""
    return _of_account.all(db, {"account_id": account_id})


def count(db: Transaction, account_id: str) -> int:
    """Return how many providers the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: OidcProviderRow) -> None:
    """Keep a new provider."""
    db.execute(
        insert(table),
        {
            "provider_id": row.provider_id,
            "account_id": row.account_id,
            "arn": row.arn,
            "url": row.url,
            "client_ids": "\n".join(row.client_ids),
            "thumbprints": "\n".join(row.thumbprints),
            "created_at": row.created_at,
            "context_provider": row.context_provider,
        },
    )


def set_client_ids(db: Transaction, account_id: str, provider_id: str, client_ids: tuple[str, ...]) -> None:
    """Set for whom a provider's tokens may be."""
    db.execute(_set_client_ids, {"of_account": account_id, "of_provider": provider_id, "new_client_ids": "\n".join(client_ids)})


def set_thumbprints(db: Transaction, account_id: str, provider_id: str, thumbprints: tuple[str, ...]) -> None:
    """Set which certificates a provider's server may be known by."""
    db.execute(
        _set_thumbprints, {"of_account": account_id, "of_provider": provider_id, "new_thumbprints": "\n".join(thumbprints)}
    )


def set_context_provider(db: Transaction, account_id: str, provider_id: str, context_provider: str | None) -> None:
    """Set how a provider's claims become context keys of sessions; None lets none become any."""
    db.execute(_set_context, {"of_account": account_id, "of_provider": provider_id, "new_context": context_provider})


def remove(db: Transaction, account_id: str, provider_id: str) -> None:
    """Forget a provider."""
    db.execute(_remove, {"of_account": account_id, "of_provider": provider_id})
