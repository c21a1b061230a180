"""Settle which events a trail delivers next, so that a second attempt makes the same files"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
oldest_code = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "trail_batches",
        sa.Column("trail_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.Column("event_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("trail_id", name=op.f("pk_trail_batches")),
    )
    op.create_index(op.f("ix_trail_batches_account_id"), "trail_batches", ["account_id"])
