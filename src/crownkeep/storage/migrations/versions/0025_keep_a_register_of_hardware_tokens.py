"""Keep a register of hardware tokens"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "hardware_tokens",
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("vault", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("of_account", sa.String(length=12), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at_audit", sa.String(length=64), nullable=True),
        sa.Column("out_to", sa.String(length=128), nullable=True),
        sa.Column("out_for", sa.String(length=200), nullable=True),
        sa.Column("out_since", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_hardware_tokens")),
    )
    with op.batch_alter_table("hardware_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hardware_tokens_due_at"), ["due_at"], unique=False)
