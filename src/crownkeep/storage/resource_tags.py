"""Tags of resources that are named by an id of text, in a table of their own for each topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table, bindparam, delete, insert, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, metadata

_Key = String(128).with_variant(String(128, collation="C"), "postgresql")


class ResourceTags:
    """A table of tags, and what is asked of it."""

    def __init__(self, name: str, *, longest_id: int) -> None:
        """Define the table; an id has so many characters at most."""
        self.table = table = Table(
            name,
            metadata,
            Column("resource_id", String(longest_id), nullable=False),
            Column("account_id", AccountId, nullable=False, index=True),
            Column("key", _Key, nullable=False),
            Column("value", String(256), nullable=False),
            PrimaryKeyConstraint("resource_id", "key"),
        )
        of = table.c.resource_id == bindparam("resource_id")
        this = table.c.resource_id == bindparam("of_resource")
        self._of = select(table.c.key, table.c.value).where(of).order_by(table.c.key)
        self._remove = delete(table).where(this, table.c.key.in_(bindparam("keys", expanding=True)))
        self._remove_all = delete(table).where(this)

    def of_resource(self, db: Transaction, resource_id: str) -> dict[str, str]:
        """Return the tags of a resource by key."""
        return {str(row.key): str(row.value) for row in db.execute(self._of, {"resource_id": resource_id})}

    def put(self, db: Transaction, account_id: str, resource_id: str, wanted: Mapping[str, str]) -> None:
        """Add tags to a resource of an account, or change them."""
        if not wanted:
            return
        self.remove(db, resource_id, list(wanted))
        rows = [
            {"resource_id": resource_id, "account_id": account_id, "key": key, "value": value} for key, value in wanted.items()
        ]
        db.execute(insert(self.table), rows)

    def remove(self, db: Transaction, resource_id: str, keys: Sequence[str]) -> None:
        """Take tags from a resource."""
        if keys:
            db.execute(self._remove, {"of_resource": resource_id, "keys": list(keys)})

    def remove_all(self, db: Transaction, resource_id: str) -> None:
        """Take every tag from a resource that goes."""
        db.execute(self._remove_all, {"of_resource": resource_id})
