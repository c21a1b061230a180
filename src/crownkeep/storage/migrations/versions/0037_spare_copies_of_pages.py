"""Add to the trail on SQLite without copying each page beforehand"""

from collections.abc import Sequence

from alembic import op

from crownkeep.storage.trail import append_only

revision = "0037"
down_revision = "0036"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    db = op.get_bind()
    if db.dialect.name != "sqlite":
        return
    for statement in append_only.against_replacement():
        db.exec_driver_sql(statement)
