"""Let no leaf be replaced by its event, and no node of the tree by its place"""

from collections.abc import Sequence

from alembic import op

from crownkeep.storage.trail import append_only

revision = "0039"
down_revision = "0038"
oldest_code = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    db = op.get_bind()
    if db.dialect.name != "sqlite":
        return
    for statement in append_only.against_replacement():
        db.exec_driver_sql(statement)
