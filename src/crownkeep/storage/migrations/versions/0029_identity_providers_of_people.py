"""Identity providers with which people of single sign-on sign in"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "external_providers",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("provider_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("match_by", sa.String(length=16), nullable=False),
        sa.Column("match_attribute", sa.String(length=256), nullable=False),
        sa.Column("unknown_people", sa.String(length=8), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", name=op.f("pk_external_providers")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_external_providers_provider_id")),
    )
    with op.batch_alter_table("external_providers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_external_providers_account_id"), ["account_id"], unique=False)
    _make_identities()


def _make_identities() -> None:
    op.create_table(
        "external_identities",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("issuer_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "user_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", "subject_digest", name=op.f("pk_external_identities")),
        sa.UniqueConstraint(
            "identity_store_id",
            "user_id",
            "issuer_digest",
            name=op.f("uq_external_identities_identity_store_id_user_id_issuer_digest"),
        ),
    )
    with op.batch_alter_table("external_identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_external_identities_account_id"), ["account_id"], unique=False)
