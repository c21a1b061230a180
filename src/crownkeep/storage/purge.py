"""Purging an account: every row of it in every table, so that its id may be used again; its trail is withheld, not removed."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Delete, Table, bindparam, delete

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import metadata

OWNED_BY_NONE = frozenset(
    {
        "alembic_version",
        "alert_reviews",
        "alert_revisions",
        "custodians",
        "digest_keys",
        "discarded_buckets",
        "hardware_tokens",
        "known_sealing_keys",
        "operators",
        "trail_checkpoints",
        "trail_cosignatures",
        "trail_lease",
        "trail_log_keys",
        "trail_nodes",
        "trail_sealed_months",
        "trail_verifications",
        "trail_witnessed_logs",
    }
)
"""Tables that hold nothing of an account, and so have no `account_id`."""

OF_THE_TRAIL = frozenset({"events", "event_resources", "trail_leaves", "trail_pending", "trail_withholdings"})
"""Tables that lose nothing but by `withholdings`: the records' bytes go there, their leaves stay."""


def purge(db: Transaction, account_id: str) -> int:
    """Remove every row of the account from every table but the trail's, and return how many there were.

    The tables are those of the metadata: a new topic's table is purged with the others as soon as it exists. Whoever calls has
    imported `storage.schema`, which names them all.
    """
    return sum(db.execute(statement, {"of_account": account_id}).rowcount for statement in (*_of_owners(), *_statements()))


@cache
def _of_owners() -> tuple[Delete, ...]:
    """Return what removes rows of others that the account has something of its own in, such as a permission it has lent."""
    tables = (table for table in purged_tables() if "owner_account_id" in table.columns)
    return tuple(delete(table).where(table.c.owner_account_id == bindparam("of_account")) for table in tables)


def purged_tables() -> list[Table]:
    """Return the tables that hold rows of accounts, those that refer to others first."""
    # Those that refer come before those referred to, so that no foreign key stands in the way.
    tables = (table for table in reversed(metadata.sorted_tables) if table.name not in OF_THE_TRAIL)
    return [table for table in tables if "account_id" in table.columns]


@cache
def _statements() -> tuple[Delete, ...]:
    return tuple(delete(table).where(table.c.account_id == bindparam("of_account")) for table in purged_tables())
