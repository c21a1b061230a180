"""Keep lookups of the trail under a name"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    name = sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql")
    op.create_table(
        "trail_filters",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("name_key", name, nullable=False),
        sa.Column("name", name, nullable=False),
        sa.Column("attribute", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=2000), nullable=False),
        sa.Column("has_reads", sa.Boolean(), nullable=False),
        sa.Column("has_failures_alone", sa.Boolean(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "owner_id", "name_key", name=op.f("pk_trail_filters")),
    )
