"""Seal root users, and acts on accounts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "seals",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column(
            "team_id", sa.String(length=96).with_variant(sa.String(length=96, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("team_account_id", sa.String(length=12), nullable=False),
        sa.Column("acts", sa.Text(), nullable=False),
        sa.Column("session_minutes", sa.Integer(), nullable=False),
        sa.Column("cooldown_minutes", sa.Integer(), nullable=False),
        sa.Column("unseal_delay_hours", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("last_session_id", sa.String(length=32), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("session_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("review_is_due", sa.Boolean(), nullable=False),
        sa.Column("unseals_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_seals")),
    )
    with op.batch_alter_table("seals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seals_team_account_id"), ["team_account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_seals_team_id"), ["team_id"], unique=False)
