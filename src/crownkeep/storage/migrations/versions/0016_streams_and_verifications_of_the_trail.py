"""Find an account's leaves in the order of the tree, and remember when the trail was verified"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_index(op.f("ix_trail_leaves_account_id_idx"), "trail_leaves", ["account_id", "idx"])
    op.create_table(
        "trail_verifications",
        sa.Column("event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_trail_verifications")),
    )
    op.create_index(op.f("ix_trail_verifications_verified_at"), "trail_verifications", ["verified_at"])
