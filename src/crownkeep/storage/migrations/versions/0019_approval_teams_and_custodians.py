"""Approval teams, custodians of the installation, their keys, and what they are asked and answer"""

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TEAM = sa.String(length=96).with_variant(sa.String(length=96, collation="C"), "postgresql")
_SOURCE = sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql")
_TAG_KEY = sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql")


def upgrade() -> None:
    """Take the step."""
    _teams()
    _versions()
    _members()
    _sources()
    _custodians()
    _keys()
    _sessions()
    _votes()
    _tags()
    _name_custodians()


def _account() -> sa.Column[str]:
    return sa.Column("account_id", sa.String(length=12), nullable=False)


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)


def _teams() -> None:
    op.create_table(
        "approval_teams",
        sa.Column("team_id", _TEAM, nullable=False),
        _account(),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("pending_version_id", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_code", sa.String(length=32), nullable=True),
        sa.Column("status_message", sa.String(length=500), nullable=True),
        sa.Column("policies", sa.Text(), nullable=False),
        sa.Column("client_token", sa.LargeBinary(length=32), nullable=True),
        sa.Column("update_session_id", sa.String(length=32), nullable=True),
        sa.Column("deletes_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_approval_teams")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_approval_teams_account_id_name")),
    )


def _versions() -> None:
    op.create_table(
        "approval_team_versions",
        sa.Column("team_id", _TEAM, nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        _account(),
        sa.Column("description", sa.String(length=256), nullable=False),
        sa.Column("min_approvals", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=True),
        sa.Column("alone_after_hours", sa.Integer(), nullable=True),
        sa.Column("status_code", sa.String(length=32), nullable=True),
        sa.Column("status_message", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "version_id", name=op.f("pk_approval_team_versions")),
    )
    _index("approval_team_versions", "account_id")


def _members() -> None:
    op.create_table(
        "approval_team_members",
        sa.Column("team_id", _TEAM, nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("approver_id", sa.String(length=32), nullable=False),
        _account(),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("identity_id", sa.String(length=100), nullable=False),
        sa.Column("identity", sa.String(length=96), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.Column("responded_at", sa.BigInteger(), nullable=True),
        sa.Column("last_activity", sa.String(length=32), nullable=True),
        sa.Column("last_activity_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("team_id", "version_id", "approver_id", name=op.f("pk_approval_team_members")),
    )
    _index("approval_team_members", "account_id", "identity")


def _sources() -> None:
    op.create_table(
        "approval_identity_sources",
        sa.Column("source_id", _SOURCE, nullable=False),
        _account(),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("client_token", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_approval_identity_sources")),
    )
    _index("approval_identity_sources", "account_id")


def _custodians() -> None:
    op.create_table(
        "custodians",
        sa.Column("custodian_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("custodian_id", name=op.f("pk_custodians")),
        sa.UniqueConstraint("email_key", name=op.f("uq_custodians_email_key")),
    )


def _keys() -> None:
    op.create_table(
        "approver_keys",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=96), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=True),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature_count", sa.Integer(), nullable=False),
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.Column("transports", sa.String(length=128), nullable=False),
        sa.Column("attestation_format", sa.String(length=32), nullable=False),
        sa.Column("attestation", sa.LargeBinary(), nullable=False),
        sa.Column("certifications", sa.Text(), nullable=False),
        sa.Column("nickname", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_rehearsed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_approver_keys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_approver_keys_credential_id")),
    )
    _index("approver_keys", "account_id", "identity")


def _sessions() -> None:
    op.create_table(
        "approval_sessions",
        sa.Column("session_id", sa.String(length=32), nullable=False),
        _account(),
        sa.Column("team_id", _TEAM, nullable=False),
        sa.Column("version_id", sa.String(length=32), nullable=False),
        sa.Column("requester_arn", sa.String(length=2048), nullable=False),
        sa.Column("requester_id", sa.String(length=160), nullable=False),
        sa.Column("requester_account_id", sa.String(length=12), nullable=False),
        sa.Column("requester_region", sa.String(length=32), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=128), nullable=False),
        sa.Column("protected_arn", sa.String(length=2048), nullable=False),
        sa.Column("acted_account_id", sa.String(length=12), nullable=False),
        sa.Column("description", sa.String(length=256), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ticket", sa.String(length=256), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_code", sa.String(length=32), nullable=True),
        sa.Column("status_message", sa.String(length=500), nullable=True),
        sa.Column("execution_status", sa.String(length=16), nullable=True),
        sa.Column("initiated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_approval_sessions")),
    )
    _index("approval_sessions", "account_id", "acted_account_id")
    with op.batch_alter_table("approval_sessions", schema=None) as batch_op:
        for columns in (["team_id", "session_id"], ["status", "expires_at"]):
            batch_op.create_index(batch_op.f(f"ix_approval_sessions_{'_'.join(columns)}"), columns, unique=False)


def _votes() -> None:
    op.create_table(
        "approval_votes",
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("approver_id", sa.String(length=32), nullable=False),
        _account(),
        sa.Column("identity", sa.String(length=96), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("assertion", sa.Text(), nullable=False),
        sa.Column("voted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "approver_id", name=op.f("pk_approval_votes")),
    )
    _index("approval_votes", "account_id")


def _tags() -> None:
    op.create_table(
        "approval_tags",
        sa.Column("resource_id", sa.String(length=96), nullable=False),
        _account(),
        sa.Column("key", _TAG_KEY, nullable=False),
        sa.Column("value", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "key", name=op.f("pk_approval_tags")),
    )
    _index("approval_tags", "account_id")


def _name_custodians() -> None:
    """Make whoever may confirm a recovery of root a custodian of the installation; of several spellings the eldest stays."""
    db = op.get_bind()
    found = db.execute(sa.text("SELECT account_id, email, set_at FROM root_custodians ORDER BY set_at, account_id")).all()
    with op.batch_alter_table("root_custodians", schema=None) as batch_op:
        batch_op.add_column(sa.Column("custodian_id", sa.String(length=32), nullable=False, server_default=""))
        batch_op.drop_column("email")
    known: dict[str, str] = {}
    new = "INSERT INTO custodians (custodian_id, name, email, email_key, created_at) VALUES (:id, :name, :email, :key, :at)"
    for account_id, email, set_at in found:
        key = email.lower()
        if key not in known:
            known[key] = hashlib.sha256(f"crownkeep custodian {key}".encode()).hexdigest()[:32]
            values = {"id": known[key], "name": email.partition("@")[0][:128], "email": email, "key": key, "at": set_at}
            db.execute(sa.text(new), values)
        db.execute(
            sa.text("UPDATE root_custodians SET custodian_id = :custodian WHERE account_id = :account"),
            {"custodian": known[key], "account": account_id},
        )
    with op.batch_alter_table("root_custodians", schema=None) as batch_op:
        batch_op.alter_column("custodian_id", server_default=None)
        batch_op.create_index(batch_op.f("ix_root_custodians_custodian_id"), ["custodian_id"], unique=False)
