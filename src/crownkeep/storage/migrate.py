"""Bringing a database up to the schema this version needs, once, before anything is served."""

from __future__ import annotations

from crownkeep.storage.database import Database
from crownkeep.storage.schema import metadata


def upgrade(database: Database) -> None:
    """Create or change the tables so that they are this version's."""
    with database.transaction() as transaction:
        metadata.create_all(transaction)
