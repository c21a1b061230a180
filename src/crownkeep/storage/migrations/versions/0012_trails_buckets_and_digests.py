"""Trails, the buckets that they deliver to, what they have yet to deliver, and the digests of what they delivered"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=length).with_variant(sa.String(length=length, collation="C"), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _make_trails()
    _make_scopes()
    _make_queue()
    _make_buckets()
    _make_files()
    _make_chains()


def _make_trails() -> None:
    op.create_table(
        "trails",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("name", _text(128), nullable=False),
        sa.Column("home_region", sa.String(length=32), nullable=False),
        sa.Column("bucket_name", _text(63), nullable=False),
        sa.Column("bucket_account_id", sa.String(length=12), nullable=False),
        sa.Column("key_prefix", sa.String(length=200), nullable=False),
        sa.Column("is_multi_region", sa.Boolean(), nullable=False),
        sa.Column("has_global_events", sa.Boolean(), nullable=False),
        sa.Column("has_digests", sa.Boolean(), nullable=False),
        sa.Column("organization_id", _text(80), nullable=True),
        sa.Column("records_itself", sa.Boolean(), nullable=True),
        sa.Column("is_logging", sa.Boolean(), nullable=False),
        sa.Column("scope_version", sa.Integer(), nullable=False),
        sa.Column("has_selectors", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("last_event_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("digest_due_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("delivery_error", sa.Text(), nullable=False),
        sa.Column("digest_delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("digest_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("trail_id", name=op.f("pk_trails")),
    )
    with op.batch_alter_table("trails", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trails_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trails_digest_due_at"), ["digest_due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_trails_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_trails_organization_id"), ["organization_id"], unique=False)


def _make_scopes() -> None:
    op.create_table(
        "trail_scopes",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("trail_id", "version", name=op.f("pk_trail_scopes")),
    )
    with op.batch_alter_table("trail_scopes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trail_scopes_account_id"), ["account_id"], unique=False)


def _make_queue() -> None:
    op.create_table(
        "trail_queue",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.Column("scope_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trail_id", "event_id", name=op.f("pk_trail_queue")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("trail_queue", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trail_queue_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trail_queue_owner_account_id"), ["owner_account_id"], unique=False)


def _make_buckets() -> None:
    op.create_table(
        "trail_buckets",
        sa.Column("name", _text(63), nullable=False),
        sa.Column("bucket_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("endpoint_region", sa.String(length=32), nullable=False),
        sa.Column("endpoint_bucket", sa.String(length=63), nullable=False),
        sa.Column("access_key_id", sa.String(length=128), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trail_buckets")),
        sa.UniqueConstraint("bucket_id", name=op.f("uq_trail_buckets_bucket_id")),
    )
    with op.batch_alter_table("trail_buckets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trail_buckets_account_id"), ["account_id"], unique=False)

    op.create_table(
        "discarded_buckets",
        sa.Column("bucket_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("bucket_id", name=op.f("pk_discarded_buckets")),
    )


def _make_files() -> None:
    op.create_table(
        "delivered_files",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("object_key", _text(1024), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("bucket_name", _text(63), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("oldest_at", sa.BigInteger(), nullable=False),
        sa.Column("newest_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trail_id", "account_id", "region", "object_key", name=op.f("pk_delivered_files")),
    )
    with op.batch_alter_table("delivered_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivered_files_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivered_files_owner_account_id"), ["owner_account_id"], unique=False)


def _make_chains() -> None:
    op.create_table(
        "digest_chains",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("planned_end", sa.BigInteger(), nullable=True),
        sa.Column("bucket_name", _text(63), nullable=True),
        sa.Column("object_key", _text(1024), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("trail_id", "account_id", "region", name=op.f("pk_digest_chains")),
    )
    with op.batch_alter_table("digest_chains", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_digest_chains_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_digest_chains_owner_account_id"), ["owner_account_id"], unique=False)

    op.create_table(
        "digest_keys",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_digest_keys")),
    )
    with op.batch_alter_table("digest_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_digest_keys_region"), ["region"], unique=False)
