"""Find what was withheld by its account: triggers ask for each record that goes"""

from collections.abc import Sequence

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_index(op.f("ix_trail_withholdings_account_id_last_event_id"), "trail_withholdings", ["account_id", "last_event_id"])
