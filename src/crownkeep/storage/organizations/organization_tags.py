"""Tags of an organization's root, units, accounts, policies and resource policy; keys are unique without regard to case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, func, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, OrganizationId, metadata

_Key = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "organization_tags",
    metadata,
    Column("organization_id", OrganizationId, nullable=False),
    # The management account, whose the organization is.
    Column("account_id", AccountId, nullable=False, index=True),
    Column("entity_id", OrganizationId, nullable=False),
    # What must be unique: the key in lower case, in which a letter can be longer. Conditions know no case of keys either.
    Column("tag_key_folded", String(384), nullable=False),
    Column("tag_key", _Key, nullable=False),
    Column("tag_value", String(256), nullable=False),
    PrimaryKeyConstraint("organization_id", "entity_id", "tag_key_folded"),
)

_of_entity = (table.c.organization_id == bindparam("organization_id"), table.c.entity_id == bindparam("entity_id"))
_all = select(table.c.tag_key, table.c.tag_value).where(*_of_entity).order_by(table.c.tag_key)
_page = _all.where(table.c.tag_key > bindparam("after")).limit(bindparam("limit"))
_count = select(func.count()).select_from(table).where(*_of_entity)
_on_entity = (table.c.organization_id == bindparam("of_organization"), table.c.entity_id == bindparam("of_entity"))
_remove = delete(table).where(*_on_entity, table.c.tag_key_folded.in_(bindparam("folded", expanding=True)))
_remove_of_entity = delete(table).where(*_on_entity)
_remove_all = delete(table).where(table.c.organization_id == bindparam("of_organization"))


def of_entity(db: Transaction, organization_id: str, entity_id: str) -> dict[str, str]:
    """Return the tags of something in an organization, in the order of their keys."""
    rows = db.execute(_all, {"organization_id": organization_id, "entity_id": entity_id})
    return {row.tag_key: row.tag_value for row in rows}


def page(db: Transaction, organization_id: str, entity_id: str, *, after: str, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` tags in the order of their keys, from the one after the key `after`."""
    values = {"organization_id": organization_id, "entity_id": entity_id, "after": after, "limit": limit}
    return [(key, value) for key, value in db.execute(_page, values)]


def count(db: Transaction, organization_id: str, entity_id: str) -> int:
    """Return how many tags something in an organization has."""
    return int(db.execute(_count, {"organization_id": organization_id, "entity_id": entity_id}).scalar_one())


def put(db: Transaction, organization_id: str, account_id: str, entity_id: str, tags: Mapping[str, str]) -> None:
    """Set tags, in the place of those whose keys differ at most in case; `account_id` is the management account."""
    if not tags:
        return
    remove(db, organization_id, entity_id, list(tags))
    place = {"organization_id": organization_id, "account_id": account_id, "entity_id": entity_id}
    rows = [{**place, "tag_key_folded": key.lower(), "tag_key": key, "tag_value": value} for key, value in tags.items()]
    db.execute(insert(table), rows)


def remove(db: Transaction, organization_id: str, entity_id: str, keys: Sequence[str]) -> None:
    """Take the tags with these keys, in whatever case, away."""
    if keys:
        db.execute(_remove, {"of_organization": organization_id, "of_entity": entity_id, "folded": [key.lower() for key in keys]})


def remove_of_entity(db: Transaction, organization_id: str, entity_id: str) -> None:
    """Forget the tags of something that goes."""
    db.execute(_remove_of_entity, {"of_organization": organization_id, "of_entity": entity_id})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Forget every tag in an organization that goes."""
    db.execute(_remove_all, {"of_organization": organization_id})
