"""Identity providers elsewhere with which the people of an identity store sign in, and who of theirs is which person of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import (
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import directory_users
from crownkeep.storage.single_sign_on.instances import StoreId

table = Table(
    "external_providers",
    metadata,
    Column("identity_store_id", StoreId, primary_key=True),
    # The account that owns the identity store.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("provider_id", String(32), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("name", String(64), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("match_by", String(16), nullable=False),
    Column("match_attribute", String(256), nullable=False),
    Column("unknown_people", String(8), nullable=False),
    Column("changed_at", Moment, nullable=False),
)
identities = Table(
    "external_identities",
    metadata,
    Column("identity_store_id", StoreId, nullable=False),
    # The account that owns the identity store.
    Column("account_id", AccountId, nullable=False, index=True),
    # SHA-256 of the issuer, and of the issuer with the subject: neither has a bound that an index could hold.
    Column("issuer_digest", LargeBinary(32), nullable=False),
    Column("subject_digest", LargeBinary(32), nullable=False),
    Column("user_id", directory_users.EntityId, nullable=False),
    Column("linked_at", Moment, nullable=False),
    PrimaryKeyConstraint("identity_store_id", "subject_digest"),
    UniqueConstraint("identity_store_id", "user_id", "issuer_digest"),
)


class ProviderKind(Enum):
    """The protocol that a provider speaks; the value is what is kept."""

    OIDC = "OIDC"
    SAML = "SAML"


class MatchBy(Enum):
    """Which attribute of a person is compared with what the provider says; the value is what is kept."""

    EXTERNAL_ID = "EXTERNAL_ID"
    USER_NAME = "USER_NAME"
    EMAIL = "EMAIL"


class UnknownPeople(Enum):
    """What becomes of somebody whom the provider vouches for and nobody here is; the value is what is kept."""

    REFUSE = "REFUSE"
    CREATE = "CREATE"
    """They are made, as the provider describes them."""


@dataclass(frozen=True, slots=True)
class ExternalProviderRow:
    """The provider of one identity store."""

    identity_store_id: str
    account_id: str
    provider_id: str
    """Another one whenever the provider is set anew: what was begun with the one before is void."""
    kind: ProviderKind
    name: str
    """What people read where they sign in."""
    issuer: str
    """The issuer (OpenID Connect), or the entity id (SAML)."""
    client_id: str
    """Empty with SAML, as `scopes`."""
    scopes: tuple[str, ...]
    document: str
    """The metadata document (SAML); empty with OpenID Connect, which is asked for it."""
    sealed_secret: bytes | None
    match_by: MatchBy
    match_attribute: str
    """What of the provider's is compared: a claim, or an attribute of the assertion."""
    unknown_people: UnknownPeople
    changed_at: datetime


def _row(
    identity_store_id: str,
    account_id: str,
    provider_id: str,
    kind: str,
    name: str,
    issuer: str,
    client_id: str,
    scopes: str,
    document: str,
    sealed_secret: bytes | None,
    match_by: str,
    match_attribute: str,
    unknown_people: str,
    changed_at: datetime,
) -> ExternalProviderRow:
    return ExternalProviderRow(
        identity_store_id=identity_store_id,
        account_id=account_id,
        provider_id=provider_id,
        kind=ProviderKind(kind),
        name=name,
        issuer=issuer,
        client_id=client_id,
        scopes=tuple(scopes.split()),
        document=document,
        sealed_secret=sealed_secret,
        match_by=MatchBy(match_by),
        match_attribute=match_attribute,
        unknown_people=UnknownPeople(unknown_people),
        changed_at=changed_at,
    )


_of_store = RowQuery(_row, select(table).where(table.c.identity_store_id == bindparam("of_store")))
_id_of_store = select(table.c.provider_id).where(table.c.identity_store_id == bindparam("of_store"))
_remove = delete(table).where(table.c.identity_store_id == bindparam("of_store"))
_insert = table.insert()
_in_store = identities.c.identity_store_id == bindparam("of_store")
_linked = select(identities.c.user_id).where(_in_store, identities.c.subject_digest == bindparam("of_subject"))
_is_linked = select(identities.c.user_id).where(
    _in_store, identities.c.user_id == bindparam("of_user"), identities.c.issuer_digest == bindparam("of_issuer")
)
_link = identities.insert()
_unlink = delete(identities).where(_in_store, identities.c.user_id == bindparam("of_user"))
_unlink_all = delete(identities).where(_in_store)
_sessions = browser_sessions.table
# Sessions name people by their UUID without hyphens.
_people = select(func.replace(directory_users.table.c.user_id, "-", "")).where(
    directory_users.table.c.identity_store_id == bindparam("of_store")
)
_end_sessions = (
    update(_sessions)
    .where(
        _sessions.c.account_id == bindparam("of_account"),
        _sessions.c.owner_id.in_(_people),
        _sessions.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("at"))
)


def of_store(db: Transaction, store_id: str) -> ExternalProviderRow | None:
    """Return the provider with which a store's people sign in; None where they sign in with what they have here."""
    return _of_store.first(db, {"of_store": store_id})


def id_of_store(db: Transaction, store_id: str) -> str:
    """Return the id of a store's provider; empty where there is none."""
    return str(db.execute(_id_of_store, {"of_store": store_id}).scalar() or "")


def put(db: Transaction, row: ExternalProviderRow) -> None:
    """Keep a store's provider in the place of the one before. The account's row must be held."""
    remove(db, row.identity_store_id)
    db.execute(
        _insert,
        {
            "identity_store_id": row.identity_store_id,
            "account_id": row.account_id,
            "provider_id": row.provider_id,
            "kind": row.kind.value,
            "name": row.name,
            "issuer": row.issuer,
            "client_id": row.client_id,
            "scopes": " ".join(row.scopes),
            "document": row.document,
            "sealed_secret": row.sealed_secret,
            "match_by": row.match_by.value,
            "match_attribute": row.match_attribute,
            "unknown_people": row.unknown_people.value,
            "changed_at": row.changed_at,
        },
    )


def remove(db: Transaction, store_id: str) -> bool:
    """Forget a store's provider; returns whether there was one. Who is who there is kept for the day when it comes back."""
    return db.execute(_remove, {"of_store": store_id}).rowcount > 0


def person_linked(db: Transaction, store_id: str, subject_digest: bytes) -> str | None:
    """Return the id of the person whom a subject of a provider is."""
    found = db.execute(_linked, {"of_store": store_id, "of_subject": subject_digest}).scalar()
    return None if found is None else str(found)


def is_linked(db: Transaction, store_id: str, user_id: str, issuer_digest: bytes) -> bool:
    """Tell whether a person is a subject of this provider already."""
    return db.execute(_is_linked, {"of_store": store_id, "of_user": user_id, "of_issuer": issuer_digest}).first() is not None


def link(
    db: Transaction, account_id: str, store_id: str, user_id: str, *, issuer_digest: bytes, subject_digest: bytes, at: datetime
) -> None:
    """Remember whom a subject of a provider is. The account's row must be held."""
    values = {
        "identity_store_id": store_id,
        "account_id": account_id,
        "issuer_digest": issuer_digest,
        "subject_digest": subject_digest,
        "user_id": user_id,
        "linked_at": at,
    }
    db.execute(_link, values)


def unlink(db: Transaction, store_id: str, user_id: str) -> int:
    """Forget which subjects a person is, and return how many."""
    return db.execute(_unlink, {"of_store": store_id, "of_user": user_id}).rowcount


def remove_all(db: Transaction, store_id: str) -> None:
    """Forget everything of a store that goes."""
    remove(db, store_id)
    db.execute(_unlink_all, {"of_store": store_id})


def end_sessions(db: Transaction, account_id: str, store_id: str, *, at: datetime) -> int:
    """End every browser session of a store's people, and return how many."""
    return db.execute(_end_sessions, {"of_account": account_id, "of_store": store_id, "at": at}).rowcount
