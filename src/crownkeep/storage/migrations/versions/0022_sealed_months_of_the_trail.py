"""Remember which months of the trail lie in files"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from crownkeep.storage.trail import append_only

revision = "0022"
down_revision = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "trail_sealed_months",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("act_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("first_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("before_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=False),
        sa.Column("last_index", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_trail_sealed_months")),
    )
    db = op.get_bind()
    for statement in append_only.of_table(db.dialect.name, "trail_sealed_months", "month"):
        db.exec_driver_sql(statement)
