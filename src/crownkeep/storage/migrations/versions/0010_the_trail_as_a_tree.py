"""Make the trail a tree that only grows: a leaf for each event, checkpoints, and triggers that refuse every other change"""

import json
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

from crownkeep.audit import leaf
from crownkeep.storage.trail import append_only, events

revision = "0010"
down_revision = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 500


def upgrade() -> None:
    """Take the step."""
    _make_tree()
    _make_checkpoints()
    op.create_table(
        "trail_withholdings",
        sa.Column("act_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("first_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("last_event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("withheld_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act_event_id", "account_id", name=op.f("pk_trail_withholdings")),
    )
    db = op.get_bind()
    for chunk in _leaves(db):
        db.execute(
            sa.text("INSERT INTO trail_pending (event_id, account_id, leaf) VALUES (:event_id, :account_id, :leaf)"), chunk
        )
    for statement in append_only.statements(db.dialect.name):
        db.execute(sa.text(statement))


def _make_tree() -> None:
    op.create_table(
        "trail_pending",
        sa.Column("pending_id", _COUNTED, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("pending_id", name=op.f("pk_trail_pending")),
    )
    op.create_table(
        "trail_leaves",
        sa.Column("idx", _COUNTED, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_trail_leaves")),
        sa.UniqueConstraint("event_id", name=op.f("uq_trail_leaves_event_id")),
    )
    op.create_table(
        "trail_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_trail_nodes")),
    )
    lease = op.create_table(
        "trail_lease",
        sa.Column("lease_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_trail_lease")),
    )
    op.bulk_insert(lease, [{"lease_id": 1, "holder": "", "held_until": 0}])


def _make_checkpoints() -> None:
    op.create_table(
        "trail_checkpoints",
        sa.Column("size", _COUNTED, autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("signatures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_trail_checkpoints")),
    )
    op.create_table(
        "trail_cosignatures",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", "name", "key_id", name=op.f("pk_trail_cosignatures")),
    )
    op.create_table(
        "trail_log_keys",
        sa.Column("vkey_id", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("vkey_id", name=op.f("pk_trail_log_keys")),
    )
    op.create_table(
        "trail_witnessed_logs",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("vkeys", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_trail_witnessed_logs")),
    )


def _leaves(db: sa.Connection) -> Iterator[list[dict[str, object]]]:
    """Yield leaves for the events that are there, in the order of time; the sequencer gives them their indexes."""
    ids = [tuple(row) for row in db.execute(sa.text("SELECT event_id, account_id FROM events ORDER BY event_id"))]
    one = sa.text(
        "SELECT source, name, read_only, username, access_key_id, body, resources, happened_at FROM events"
        " WHERE account_id = :account_id AND event_id = :event_id"
    )
    for place in range(0, len(ids), _AT_ONCE):
        chunk: list[dict[str, object]] = []
        for event_id, account_id in ids[place : place + _AT_ONCE]:
            row = db.execute(one, {"account_id": account_id, "event_id": event_id}).one()
            resources = json.loads(row.resources) if row.resources else []
            columns = leaf.columns(row.source, row.name, row.read_only, row.username, row.access_key_id, resources)
            record = events.unpack(bytes(row.body))
            made = leaf.of_record(bytes(event_id), row.happened_at, account_id, record, columns)
            chunk.append({"event_id": event_id, "account_id": account_id, "leaf": made})
        yield chunk
