"""Renew the MFA devices of sealed root users after use"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("seals", sa.Column("renews_mfa", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("seals", schema=None) as batch_op:
        batch_op.alter_column("renews_mfa", server_default=None)
