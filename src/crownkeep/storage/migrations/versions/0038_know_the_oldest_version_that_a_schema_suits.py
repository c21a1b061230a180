"""Know the oldest version that a schema suits"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    # In alembic's own table: it is read in one query with the step, and no copy of our tables brings another database's along.
    op.add_column("alembic_version", sa.Column("understood_by", sa.String(length=9), nullable=True))
