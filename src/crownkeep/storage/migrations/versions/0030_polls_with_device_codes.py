"""Polls of programs with a device code, counted"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    with op.batch_alter_table("person_grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("polls", sa.Integer(), nullable=False, server_default="0"))
