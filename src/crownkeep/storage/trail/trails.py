"""CloudTrail's trails: what each covers, where it delivers, whether it logs, and how its deliveries went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, OrganizationId, UniqueId, metadata
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.trail.buckets import BucketName

_TrailName = String(128).with_variant(String(128, collation="C"), "postgresql")

table = Table(
    "trails",
    metadata,
    Column("trail_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", _TrailName, nullable=False),
    Column("home_region", String(32), nullable=False),
    Column("bucket_name", BucketName, nullable=False),
    Column("bucket_account_id", AccountId, nullable=False),
    Column("key_prefix", String(200), nullable=False),
    Column("is_multi_region", Boolean, nullable=False),
    Column("has_global_events", Boolean, nullable=False),
    Column("has_digests", Boolean, nullable=False),
    Column("organization_id", OrganizationId),
    Column("records_itself", Boolean),
    Column("is_logging", Boolean, nullable=False),
    Column("scope_version", Integer, nullable=False),
    Column("has_selectors", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("stopped_at", Moment),
    Column("deleted_at", Moment),
    # The event that ends the logging belongs to what is logged.
    Column("last_event_id", LargeBinary(16)),
    Column("due_at", Moment),
    Column("digest_due_at", Moment),
    Column("claimed_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", Moment),
    Column("delivered_at", Moment),
    Column("delivery_error", Text, nullable=False),
    Column("digest_delivered_at", Moment),
    Column("digest_error", Text, nullable=False),
    Index(None, "account_id"),
    Index(None, "organization_id"),
    Index(None, "due_at"),
    Index(None, "digest_due_at"),
)
scopes = Table(
    "trail_scopes",
    metadata,
    Column("trail_id", UniqueId, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("document", Text, nullable=False),
)


NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One trail. One that is deleted stays until what it had covered is delivered, and nobody sees it."""

    trail_id: str
    account_id: str
    name: str
    home_region: str
    bucket_name: str
    bucket_account_id: str
    """Whose the bucket must be: nothing is delivered to an account that has a bucket of this name later."""
    key_prefix: str
    is_multi_region: bool
    has_global_events: bool
    has_digests: bool
    """Whether log files are validated (`LogFileValidationEnabled`)."""
    organization_id: str | None
    """Of an organization's trail: it covers all its accounts."""
    records_itself: bool | None
    is_logging: bool
    scope_version: int
    has_selectors: bool
    created_at: datetime
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    deleted_at: datetime | None = None
    last_event_id: bytes | None = None
    due_at: datetime | None = None
    digest_due_at: datetime | None = None
    claimed_until: datetime = NEVER
    """Until then one process delivers its files, and no other."""
    attempts: int = 0
    attempted_at: datetime | None = None
    delivered_at: datetime | None = None
    delivery_error: str = ""
    digest_delivered_at: datetime | None = None
    digest_error: str = ""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudtrail:{self.home_region}:{self.account_id}:trail/{self.name}"


_this = table.c.trail_id == bindparam("of_trail")
_lives = table.c.deleted_at.is_(None)
_with_id = RowQuery(
    TrailRow,
    select(table).where(_this),
)
_of_account = RowQuery(
    TrailRow,
    select(table).where(table.c.account_id == bindparam("account_id"), _lives).order_by(table.c.name, table.c.home_region),
)
_of_organization = RowQuery(
    TrailRow,
    select(table)
    .where(table.c.organization_id == bindparam("organization_id"), _lives)
    .order_by(table.c.name, table.c.home_region),
)
_delivering_to = RowQuery(
    TrailRow,
    select(table)
    .where(table.c.bucket_account_id == bindparam("account_id"), table.c.bucket_name == bindparam("bucket_name"), _lives)
    .order_by(table.c.account_id, table.c.name),
)
_insert = RowInsert(TrailRow, table)
_leave_organization = update(table).where(table.c.organization_id == bindparam("of_organization")).values(organization_id=None)
# The same condition finds a trail and claims it: whoever comes second changes no row.
_is_due = (
    or_(table.c.due_at <= bindparam("now"), table.c.digest_due_at <= bindparam("now")),
    table.c.claimed_until <= bindparam("now"),
)
_due = Prepared(select(table.c.trail_id).where(*_is_due).order_by(table.c.due_at, table.c.trail_id).limit(bindparam("limit")))
_claim = update(table).where(_this, *_is_due).values(claimed_until=bindparam("until"))
_remove = delete(table).where(_this)
_scopes = select(scopes.c.version, scopes.c.document).where(scopes.c.trail_id == bindparam("of_trail"))
_remove_scopes = delete(scopes).where(scopes.c.trail_id == bindparam("of_trail"))


def with_id(db: Transaction, trail_id: str) -> TrailRow | None:
    """Return a trail, also one that is deleted and not gone yet; for its delivery."""
    return _with_id.first(db, {"of_trail": trail_id})


def of_account(db: Transaction, account_id: str) -> list[TrailRow]:
    """Return the account's own trails by name."""
    return _of_account.all(db, {"account_id": account_id})


def of_organization(db: Transaction, organization_id: str) -> list[TrailRow]:
    """Return the trails that cover an organization, by name."""
    return _of_organization.all(db, {"organization_id": organization_id})


def delivering_to(db: Transaction, account_id: str, bucket_name: str) -> list[TrailRow]:
    """Return the trails that deliver to an account's bucket."""
    return _delivering_to.all(db, {"account_id": account_id, "bucket_name": bucket_name})


def remove_all(db: Transaction, organization_id: str) -> None:
    """Let the trails of an organization that goes be those of their account alone."""
    db.execute(_leave_organization, {"of_organization": organization_id})


def add(db: Transaction, row: TrailRow) -> None:
    """Keep a new trail."""
    _insert.run(db, row)


def change(db: Transaction, trail_id: str, **values: object) -> None:
    """Set some columns of a trail."""
    db.execute(update(table).where(table.c.trail_id == trail_id).values(**values))


def due(db: Transaction, *, now: datetime, limit: int) -> Sequence[str]:
    """Return the ids of trails that have something to deliver now and that no process has claimed."""
    return [row[0] for row in _due.all(db, {"now": now, "limit": limit})]


def claim(db: Transaction, trail_id: str, *, now: datetime, until: datetime) -> TrailRow | None:
    """Claim a trail for delivery; returns None where another process was faster."""
    # The number of changed rows decides, so two processes never deliver the same files.
    if db.execute(_claim, {"of_trail": trail_id, "now": now, "until": until}).rowcount == 0:
        return None
    return with_id(db, trail_id)


def remove(db: Transaction, trail_id: str) -> None:
    """Forget a trail that was deleted and has delivered all."""
    # First what belongs to it, or it would be left without an owner.
    db.execute(_remove_scopes, {"of_trail": trail_id})
    db.execute(_remove, {"of_trail": trail_id})


def add_scope(db: Transaction, trail_id: str, account_id: str, version: int, document: str) -> None:
    """Keep what a trail covers from now on; events that wait were covered by an earlier version."""
    values = {"trail_id": trail_id, "version": version, "account_id": account_id, "document": document}
    db.execute(insert(scopes), values)


def scopes_of(db: Transaction, trail_id: str) -> dict[int, str]:
    """Return what a trail covered, by version."""
    return {row.version: row.document for row in db.execute(_scopes, {"of_trail": trail_id})}
