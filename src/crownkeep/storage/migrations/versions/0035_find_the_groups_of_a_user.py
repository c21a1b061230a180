"""Find the groups of a user without reading all memberships of the account"""

from collections.abc import Sequence

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    # SQLite prefers an index that holds every column of the answer, however many rows it has to pass.
    op.drop_index(op.f("ix_memberships_account_id_user_id"), table_name="memberships")
    op.create_index(
        op.f("ix_memberships_account_id_user_id_group_id"), "memberships", ["account_id", "user_id", "group_id"], unique=False
    )
