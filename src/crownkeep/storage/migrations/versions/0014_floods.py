"""How many alerts of a span were messages of their own"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    with op.batch_alter_table("alert_digests") as batch_op:
        batch_op.add_column(sa.Column("sent", sa.Integer(), nullable=False, server_default="1"))
