"""People who sign in: their passwords, and what they let programs do for them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "person_credentials",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("reset_required", sa.Boolean(), nullable=False),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_person_credentials")),
    )
    with op.batch_alter_table("person_credentials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_credentials_account_id"), ["account_id"], unique=False)
    _person_grants()
    op.create_table(
        "person_tokens",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("spent_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_person_tokens")),
    )
    with op.batch_alter_table("person_tokens", schema=None) as batch_op:
        for column in ("account_id", "expires_at", "grant_id"):
            batch_op.create_index(batch_op.f(f"ix_person_tokens_{column}"), [column], unique=False)
    with op.batch_alter_table("one_time_links", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.String(length=32), nullable=True))
    with op.batch_alter_table("account_assignments", schema=None) as batch_op:
        columns = ["instance_id", "principal_id", "target_id", "permission_set_id"]
        batch_op.create_index("ix_account_assignments_principal", columns, unique=False)


def _person_grants() -> None:
    op.create_table(
        "person_grants",
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("client_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_name", sa.String(length=256), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_code_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("asked_from", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("session_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("code_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_person_grants")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_person_grants_code_digest")),
        sa.UniqueConstraint("user_code_digest", name=op.f("uq_person_grants_user_code_digest")),
    )
    with op.batch_alter_table("person_grants", schema=None) as batch_op:
        for column in ("account_id", "expires_at", "session_digest"):
            batch_op.create_index(batch_op.f(f"ix_person_grants_{column}"), [column], unique=False)
