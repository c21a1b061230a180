"""Single sign-on: instances, people and groups, permission sets, assignments, and the roles that come of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLES = (
    "sso_instances",
    "directory_users",
    "directory_groups",
    "directory_memberships",
    "permission_sets",
    "permission_set_policies",
    "account_assignments",
    "provisioned_roles",
    "provisioning_requests",
    "sso_tags",
)


def upgrade() -> None:
    """Take the step."""
    _sso_instances()
    _directory_users()
    _directory_groups()
    _directory_memberships()
    _permission_sets()
    _permission_set_policies()
    _account_assignments()
    _provisioned_roles()
    _provisioning_requests()
    _sso_tags()


def downgrade() -> None:
    """Undo the step."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _sso_instances() -> None:
    op.create_table(
        "sso_instances",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column(
            "organization_id", sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("access_control_attributes", sa.Text(), nullable=True),
        sa.Column("permission_sets_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_sso_instances")),
        sa.UniqueConstraint("account_id", name=op.f("uq_sso_instances_account_id")),
        sa.UniqueConstraint("identity_store_id", name=op.f("uq_sso_instances_identity_store_id")),
    )


def _directory_users() -> None:
    op.create_table(
        "directory_users",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column(
            "user_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("user_name", sa.String(length=128), nullable=False),
        sa.Column(
            "user_name_key",
            sa.String(length=3072).with_variant(sa.String(length=3072, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "email_key", sa.String(length=3072).with_variant(sa.String(length=3072, collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=2048), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", "user_id", name=op.f("pk_directory_users")),
        sa.UniqueConstraint("identity_store_id", "email_key", name=op.f("uq_directory_users_identity_store_id_email_key")),
        sa.UniqueConstraint(
            "identity_store_id", "user_name_key", name=op.f("uq_directory_users_identity_store_id_user_name_key")
        ),
    )
    with op.batch_alter_table("directory_users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_directory_users_account_id"), ["account_id"], unique=False)


def _directory_groups() -> None:
    op.create_table(
        "directory_groups",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column(
            "group_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("display_name", sa.String(length=1024), nullable=False),
        sa.Column(
            "display_name_key",
            sa.String(length=3072).with_variant(sa.String(length=3072, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=2048), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", "group_id", name=op.f("pk_directory_groups")),
        sa.UniqueConstraint(
            "identity_store_id", "display_name_key", name=op.f("uq_directory_groups_identity_store_id_display_name_key")
        ),
    )
    with op.batch_alter_table("directory_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_directory_groups_account_id"), ["account_id"], unique=False)


def _directory_memberships() -> None:
    op.create_table(
        "directory_memberships",
        sa.Column("identity_store_id", sa.String(length=36), nullable=False),
        sa.Column(
            "membership_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column(
            "group_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "user_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=2048), nullable=False),
        sa.PrimaryKeyConstraint("identity_store_id", "membership_id", name=op.f("pk_directory_memberships")),
        sa.UniqueConstraint(
            "identity_store_id", "group_id", "user_id", name=op.f("uq_directory_memberships_identity_store_id_group_id_user_id")
        ),
        sa.UniqueConstraint(
            "identity_store_id", "user_id", "group_id", name=op.f("uq_directory_memberships_identity_store_id_user_id_group_id")
        ),
    )
    with op.batch_alter_table("directory_memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_directory_memberships_account_id"), ["account_id"], unique=False)


def _permission_sets() -> None:
    op.create_table(
        "permission_sets",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column(
            "permission_set_id",
            sa.String(length=19).with_variant(sa.String(length=19, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "name_key", sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("description", sa.String(length=700), nullable=True),
        sa.Column("session_duration", sa.String(length=100), nullable=False),
        sa.Column("relay_state", sa.String(length=240), nullable=True),
        sa.Column("inline_policy", sa.Text(), nullable=True),
        sa.Column("boundary", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "permission_set_id", name=op.f("pk_permission_sets")),
        sa.UniqueConstraint("instance_id", "name_key", name=op.f("uq_permission_sets_instance_id_name_key")),
    )
    with op.batch_alter_table("permission_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_permission_sets_account_id"), ["account_id"], unique=False)


def _permission_set_policies() -> None:
    op.create_table(
        "permission_set_policies",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column(
            "permission_set_id",
            sa.String(length=19).with_variant(sa.String(length=19, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column(
            "reference", sa.String(length=700).with_variant(sa.String(length=700, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("attached_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "permission_set_id", "reference", name=op.f("pk_permission_set_policies")),
    )
    with op.batch_alter_table("permission_set_policies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_permission_set_policies_account_id"), ["account_id"], unique=False)


def _account_assignments() -> None:
    op.create_table(
        "account_assignments",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column(
            "target_id", sa.String(length=12).with_variant(sa.String(length=12, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "permission_set_id",
            sa.String(length=19).with_variant(sa.String(length=19, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("principal_type", sa.String(length=5), nullable=False),
        sa.Column(
            "principal_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "instance_id", "target_id", "permission_set_id", "principal_id", name=op.f("pk_account_assignments")
        ),
    )
    with op.batch_alter_table("account_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_assignments_account_id"), ["account_id"], unique=False)
    with op.batch_alter_table("account_assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_assignments_owner_account_id"), ["owner_account_id"], unique=False)


def _provisioned_roles() -> None:
    op.create_table(
        "provisioned_roles",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column(
            "permission_set_id",
            sa.String(length=19).with_variant(sa.String(length=19, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "target_id", sa.String(length=12).with_variant(sa.String(length=12, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("role_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("owner_account_id", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "permission_set_id", "target_id", name=op.f("pk_provisioned_roles")),
    )
    with op.batch_alter_table("provisioned_roles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provisioned_roles_account_id"), ["account_id"], unique=False)
    with op.batch_alter_table("provisioned_roles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provisioned_roles_owner_account_id"), ["owner_account_id"], unique=False)


def _provisioning_requests() -> None:
    op.create_table(
        "provisioning_requests",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "request_id", sa.String(length=36).with_variant(sa.String(length=36, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("target_id", sa.String(length=12), nullable=True),
        sa.Column(
            "permission_set_id",
            sa.String(length=19).with_variant(sa.String(length=19, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("principal_type", sa.String(length=5), nullable=True),
        sa.Column(
            "principal_id", sa.String(length=47).with_variant(sa.String(length=47, collation="C"), "postgresql"), nullable=True
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "kind", "request_id", name=op.f("pk_provisioning_requests")),
    )
    with op.batch_alter_table("provisioning_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provisioning_requests_account_id"), ["account_id"], unique=False)


def _sso_tags() -> None:
    op.create_table(
        "sso_tags",
        sa.Column("resource_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql"), nullable=False),
        sa.Column("value", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "key", name=op.f("pk_sso_tags")),
    )
    with op.batch_alter_table("sso_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_tags_account_id"), ["account_id"], unique=False)
