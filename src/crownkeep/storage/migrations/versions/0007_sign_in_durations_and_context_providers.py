"""Longest sign-in sessions of users and roles, and context providers of identity providers"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    for table in ("roles", "login_profiles"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("max_sign_in_seconds", sa.Integer(), nullable=True))
    for table in ("oidc_providers", "saml_providers"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("context_provider", sa.Text(), nullable=True))


def downgrade() -> None:
    """Undo the step."""
    for table in ("oidc_providers", "saml_providers"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("context_provider")
    for table in ("roles", "login_profiles"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("max_sign_in_seconds")
