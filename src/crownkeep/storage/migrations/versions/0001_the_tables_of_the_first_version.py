"""The tables of the first version"""

from collections.abc import Sequence

from alembic import op

from crownkeep.storage.schema import metadata

revision = "0001"
down_revision = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    metadata.create_all(op.get_bind())
