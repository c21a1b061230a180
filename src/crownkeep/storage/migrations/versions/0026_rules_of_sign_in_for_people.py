"""Rules of sign-in for people: their second factors, passwords and sessions"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "person_sign_in_rules",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("mfa_mode", sa.String(length=16), nullable=False),
        sa.Column("without_device", sa.String(length=16), nullable=False),
        sa.Column("session_seconds", sa.Integer(), nullable=False),
        sa.Column("max_password_age_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", name=op.f("pk_person_sign_in_rules")),
    )
    with op.batch_alter_table("person_sign_in_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_sign_in_rules_account_id"), ["account_id"], unique=False)
    op.create_table(
        "trusted_places",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_trusted_places")),
    )
    with op.batch_alter_table("trusted_places", schema=None) as batch_op:
        batch_op.create_index("ix_trusted_places_account_id_owner_id", ["account_id", "owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trusted_places_expires_at"), ["expires_at"], unique=False)
    with op.batch_alter_table("person_credentials", schema=None) as batch_op:
        batch_op.add_column(sa.Column("verified_email", sa.String(length=3072), nullable=True))
        batch_op.add_column(sa.Column("history", sa.Text(), nullable=False, server_default=""))
    # Every password of before this step was chosen by a link that was mailed to the address.
    op.execute(
        "UPDATE person_credentials SET verified_email = (SELECT directory_users.email_key FROM directory_users "
        "WHERE replace(directory_users.user_id, '-', '') = person_credentials.owner_id)"
    )
