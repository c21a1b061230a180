"""Rules, receivers and lanes of alerts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=10), nullable=False, server_default="mail"))
        batch_op.add_column(sa.Column("receiver_id", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("lane", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("rule", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("given_up_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_outbox_receiver_id"), ["receiver_id"])
        batch_op.create_index(batch_op.f("ix_outbox_given_up_at"), ["given_up_at"])
        batch_op.create_index(batch_op.f("ix_outbox_lane_letter_id"), ["lane", "letter_id"])
    # What waits keeps no order with anything else: it has no lane but its own.
    op.execute("UPDATE outbox SET lane = letter_id")
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=10), nullable=False, server_default="mail"))
        batch_op.add_column(sa.Column("receiver_id", sa.String(length=32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("rule", sa.String(length=64), nullable=False, server_default=""))
    _add_leases_and_digests()
    _add_receivers()
    _add_rules()


def _add_leases_and_digests() -> None:
    op.create_table(
        "notice_leases",
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_notice_leases")),
    )
    op.create_index(op.f("ix_notice_leases_account_id"), "notice_leases", ["account_id"])
    op.create_table(
        "alert_digests",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.LargeBinary(length=32), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("held_back", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "rule", "topic", name=op.f("pk_alert_digests")),
    )
    op.create_index(op.f("ix_alert_digests_ends_at"), "alert_digests", ["ends_at"])
    op.create_table(
        "alert_revisions",
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_alert_revisions")),
    )
    op.create_table(
        "key_networks",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("access_key_id", sa.String(length=128), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", "network", name=op.f("pk_key_networks")),
    )


def _add_receivers() -> None:
    op.create_table(
        "alert_receivers",
        sa.Column("receiver_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=2048), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=2048), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_because", sa.String(length=300), nullable=False),
        sa.Column("signing", sa.String(length=10), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.BigInteger(), nullable=True),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("receiver_id", name=op.f("pk_alert_receivers")),
    )
    op.create_index(op.f("ix_alert_receivers_account_id"), "alert_receivers", ["account_id"])


def _add_rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("contact_type", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("runbook", sa.String(length=1024), nullable=False),
        sa.Column("added_by", sa.String(length=2048), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alert_silences",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("silenced_by", sa.String(length=2048), nullable=False),
        sa.Column("silenced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "rule", name=op.f("pk_alert_silences")),
    )
