"""Let another directory provision people: tokens, and what it calls people and groups"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step; whoever is in a directory already may go on signing in."""
    op.create_table(
        "scim_tokens",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token_id", sa.String(length=36), nullable=False),
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_scim_tokens")),
    )
    op.create_index(op.f("ix_scim_tokens_account_id"), "scim_tokens", ["account_id"])
    op.create_index(op.f("ix_scim_tokens_identity_store_id"), "scim_tokens", ["identity_store_id"])
    op.add_column("directory_groups", sa.Column("external_id", sa.String(length=256)))
    op.create_index("ix_directory_groups_external_id", "directory_groups", ["identity_store_id", "external_id"], unique=True)
    op.add_column("directory_users", sa.Column("external_id", sa.String(length=256)))
    op.add_column("directory_users", sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("ix_directory_users_external_id", "directory_users", ["identity_store_id", "external_id"], unique=True)
