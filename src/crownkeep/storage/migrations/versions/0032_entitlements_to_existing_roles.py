"""Entitlements to existing roles, and what tokens of programs are good for"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    _access_applications()
    _role_entitlements()
    with op.batch_alter_table("person_grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scopes", sa.String(length=512), nullable=False, server_default=""))


def _access_applications() -> None:
    op.create_table(
        "access_applications",
        sa.Column("application_id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=24), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_access_applications")),
        sa.UniqueConstraint("account_id", name=op.f("uq_access_applications_account_id")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_access_applications_instance_id")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_access_applications_tenant_id")),
    )


def _role_entitlements() -> None:
    entity_id = sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql")
    digest = sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql")
    op.create_table(
        "role_entitlements",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("entitlement_id", entity_id, nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.Column("role_arn", sa.String(length=2048), nullable=False),
        sa.Column("role_digest", digest, nullable=False),
        sa.Column("principal_type", sa.String(length=5), nullable=False),
        sa.Column("principal_id", entity_id, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "entitlement_id", name=op.f("pk_role_entitlements")),
        sa.UniqueConstraint(
            "instance_id",
            "principal_id",
            "role_digest",
            name=op.f("uq_role_entitlements_instance_id_principal_id_role_digest"),
        ),
    )
    op.create_index(op.f("ix_role_entitlements_account_id"), "role_entitlements", ["account_id"], unique=False)
    op.create_index(op.f("ix_role_entitlements_owner_account_id"), "role_entitlements", ["owner_account_id"], unique=False)
    columns = ["instance_id", "role_digest", "principal_type"]
    op.create_index("ix_role_entitlements_role", "role_entitlements", columns, unique=False)
