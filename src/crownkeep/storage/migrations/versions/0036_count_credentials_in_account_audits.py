"""Keep with each scheduled audit how many credentials there are, how many have MFA and how many are old"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    for name in ("passwords", "passwords_with_mfa", "credentials", "old_credentials"):
        op.add_column("account_audits", sa.Column(name, sa.Integer(), nullable=True))
