"""Remember how far reviews have come"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "alert_reviews",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("reached_at", sa.BigInteger(), nullable=False),
        sa.Column("reached_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_reviews")),
    )
