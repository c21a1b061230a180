"""Count wrong one-time codes in a row"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    # Not in a batch: that makes the table anew on SQLite, and dropping the old one takes the passkeys along that refer to it.
    op.add_column("mfa_devices", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
