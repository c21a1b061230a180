"""Remember who was offered recovery codes and wants none"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "declined_recovery_codes",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("declined_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "owner_id", name=op.f("pk_declined_recovery_codes")),
    )
