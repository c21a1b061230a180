"""Somebody with full write access to the database: what they may do to a trail, statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, text, update

from crownkeep import ids
from crownkeep.audit import merkle
from crownkeep.audit.merkle import Frontier
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring
from crownkeep.storage import migrate
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints, events, leaves, tree
from crownkeep.storage.trail.events import EventRow
from crownkeep.trail import catching_up

ACCOUNTS = ("", "111122223333", "444455556666")
MADE = datetime(2026, 11, 1, 12, tzinfo=UTC)
SIZE = 300
KEYRING = Keyring([sealing.mint_key(bytes(32), made=MADE.date())])


def event(number: int) -> EventRow:
    """Return an event whose record says what it is found by."""
    at = MADE + timedelta(milliseconds=number)
    account_id, event_id = ACCOUNTS[number % 3], ids.event_id(at, number.to_bytes(10, "big"))
    record = (
        f'{{"eventID":"{event_id}","eventSource":"iam.amazonaws.com","eventName":"CreateUser","eventTime":"2026-11-01T12:00:00Z",'
        f'"readOnly":false,"recipientAccountId":"{account_id}","requestParameters":{{"userName":"user-{number}"}}}}'
    )
    named = (("AWS::IAM::User", f"user-{number}"),) * (number % 2)
    return EventRow(account_id, event_id, at, "iam.amazonaws.com", "CreateUser", "false", "root", "", record.encode(), named)


def furnish(database: Database) -> None:
    """Make a trail with a few checkpoints."""
    migrate.upgrade(database)
    for first in range(0, SIZE, 100):
        with database.transaction() as db:
            events.add_all(db, [event(number) for number in range(first, first + 100)])
        catching_up.catch_up(database, KEYRING)


def disarm(db: Transaction) -> None:
    """Drop the triggers, as whoever owns a database can."""
    if db.dialect.name == "sqlite":
        for name in db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            db.execute(text(f"DROP TRIGGER {name}"))
        return
    for name in ("", "_unless_withheld", "_unless_sequenced"):
        db.execute(text(f"DROP FUNCTION crownkeep_trail_refuses{name}() CASCADE"))


Tampering = Callable[[Transaction, int], None]


def _change_record(db: Transaction, number: int) -> None:
    _put_body(db, number, event(number).record.replace(b"user-", b"usar-"))


def _put_body(db: Transaction, number: int, record: bytes) -> None:
    db.execute(update(events.table).where(_is(number)).values(body=events.pack(record)))


def _is(number: int) -> ColumnElement[bool]:
    return events.table.c.event_id == event(number).event_id.bytes


def _spoil_record(db: Transaction, number: int) -> None:
    db.execute(update(events.table).where(_is(number)).values(body=b"\1\2\3"))


def _set(column: str, value: object) -> Tampering:
    def change(db: Transaction, number: int) -> None:
        db.execute(update(events.table).where(_is(number)).values({column: value}))

    return change


def _remove_record(db: Transaction, number: int) -> None:
    db.execute(delete(events.table).where(_is(number)))


def _remove_record_and_resources(db: Transaction, number: int) -> None:
    db.execute(delete(events.resources).where(events.resources.c.event_id == event(number).event_id.bytes))
    _remove_record(db, number)


def _swap_records(db: Transaction, number: int) -> None:
    other = (number + 3) % SIZE
    _put_body(db, number, event(other).record)
    _put_body(db, other, event(number).record)


def _insert_record(db: Transaction, number: int) -> None:
    row = event(number + SIZE)
    db.execute(
        insert(events.table),
        {
            "account_id": row.account_id,
            "event_id": row.event_id.bytes,
            "happened_at": row.happened_at,
            "source": row.source,
            "name": row.name,
            "read_only": row.read_only,
            "username": row.username,
            "access_key_id": "",
            "body": events.pack(row.record),
        },
    )


def _change_resource(db: Transaction, number: int) -> None:
    of_it = events.resources.c.event_id == event(number | 1).event_id.bytes
    db.execute(update(events.resources).where(of_it).values(resource_name="somebody-else"))


def _remove_resource(db: Transaction, number: int) -> None:
    db.execute(delete(events.resources).where(events.resources.c.event_id == event(number | 1).event_id.bytes))


def _insert_resource(db: Transaction, number: int) -> None:
    row = event(number)
    named = {"account_id": row.account_id, "event_id": row.event_id.bytes, "resource_name": "x", "resource_type": "y"}
    db.execute(insert(events.resources), named)


def _change_leaf(db: Transaction, number: int) -> None:
    forged = leaves.make(event(number), event(number).record + b" ")
    db.execute(update(leaves.table).where(leaves.table.c.idx == number).values(leaf=forged))


def _remove_leaf(db: Transaction, number: int) -> None:
    db.execute(delete(leaves.table).where(leaves.table.c.idx == number))


def _spoil_leaf(db: Transaction, number: int) -> None:
    db.execute(update(leaves.table).where(leaves.table.c.idx == number).values(leaf=b"\1"))


def _swap_leaves(db: Transaction, number: int) -> None:
    other = (number + 1) % SIZE
    for old, new in ((number, -1), (other, number), (-1, other)):
        db.execute(update(leaves.table).where(leaves.table.c.idx == old).values(idx=new))


def _cut(db: Transaction, number: int) -> None:
    """Remove the end of everything, and the checkpoints that told of it."""
    for each in range(number, SIZE):
        _remove_record_and_resources(db, each)
    db.execute(delete(leaves.table).where(leaves.table.c.idx >= number))
    db.execute(delete(checkpoints.table).where(checkpoints.table.c.size > number))
    rebuild(db)


def _rewrite(db: Transaction, number: int) -> None:
    """Change a record with all that depends on it, and remove what one can't sign anew."""
    record = event(number).record.replace(b"user-", b"usar-")
    _put_body(db, number, record)
    db.execute(update(leaves.table).where(leaves.table.c.idx == number).values(leaf=leaves.make(event(number), record)))
    db.execute(delete(checkpoints.table).where(checkpoints.table.c.size > number))
    rebuild(db)


def _insert_in_between(db: Transaction, number: int) -> None:
    """Put a record of one's own among the others, with all that depends on it."""
    for each in range(SIZE - 1, number - 1, -1):
        db.execute(update(leaves.table).where(leaves.table.c.idx == each).values(idx=each + 1))
    _insert_record(db, number)
    row = event(number + SIZE)
    made = {"idx": number, "event_id": row.event_id.bytes, "account_id": row.account_id, "leaf": leaves.make(row, row.record)}
    db.execute(insert(leaves.table), made)
    db.execute(delete(checkpoints.table).where(checkpoints.table.c.size > number))
    rebuild(db)


def _change_node(db: Transaction, _: int) -> None:
    db.execute(update(tree.table).values(hash=bytes(32)))


def _remove_nodes(db: Transaction, _: int) -> None:
    db.execute(delete(tree.table))


def _insert_node(db: Transaction, number: int) -> None:
    db.execute(insert(tree.table), {"level": 1, "number": number + 1, "hash": bytes(32)})


def _change_checkpoint(db: Transaction, number: int) -> None:
    size = number // 100 * 100 + 100
    db.execute(update(checkpoints.table).where(checkpoints.table.c.size == size).values(root=bytes(32)))


def _remove_checkpoints(db: Transaction, _: int) -> None:
    db.execute(delete(checkpoints.table))


def _claim_a_withholding(db: Transaction, number: int) -> None:
    row = event(number)
    claim = "INSERT INTO trail_withholdings VALUES (:act, :account_id, :event_id, :event_id, 1, 'law', 'a judge', 'nobody', 1)"
    values = {"act": UUID(int=number).bytes, "account_id": row.account_id, "event_id": row.event_id.bytes}
    db.execute(text(claim), values)
    _remove_record_and_resources(db, number)


TAMPERINGS: dict[str, Tampering] = {
    "a record is changed": _change_record,
    "a record is made unreadable": _spoil_record,
    "a name is changed": _set("name", "DeleteUser"),
    "a user name is changed": _set("username", "mallory"),
    "a time is changed": _set("happened_at", MADE - timedelta(days=1)),
    "a source is changed": _set("source", "s3.amazonaws.com"),
    "read-only is changed": _set("read_only", "true"),
    "an access key is changed": _set("access_key_id", "AKIA"),
    "a record is given to another account": _set("account_id", "777788889999"),
    "the resources are changed": _set("resources", b'[["AWS::IAM::User","eve"]]'),
    "the resources are made unreadable": _set("resources", b"{"),
    "a record is removed": _remove_record,
    "a record is removed with its resources": _remove_record_and_resources,
    "two records are swapped": _swap_records,
    "a record is inserted": _insert_record,
    "a resource is changed": _change_resource,
    "a resource is removed": _remove_resource,
    "a resource is inserted": _insert_resource,
    "a leaf is changed": _change_leaf,
    "a leaf is made unreadable": _spoil_leaf,
    "a leaf is removed": _remove_leaf,
    "two leaves are swapped": _swap_leaves,
    "the end is cut off": _cut,
    "a record is rewritten with its leaf and its nodes": _rewrite,
    "a record is inserted with its leaf and its nodes": _insert_in_between,
    "a node is changed": _change_node,
    "the nodes are removed": _remove_nodes,
    "a node is inserted": _insert_node,
    "a checkpoint is changed": _change_checkpoint,
    "the checkpoints are removed": _remove_checkpoints,
    "a withholding is claimed": _claim_a_withholding,
}


def rebuild(db: Transaction) -> None:
    """Make the nodes anew from the leaves that are there."""
    db.execute(delete(tree.table))
    frontier, completed = Frontier(), list[tuple[int, int, bytes]]()
    entries: Sequence[bytes] = db.execute(select(leaves.table.c.leaf).order_by(leaves.table.c.idx)).scalars().all()
    for entry in entries:
        frontier.append(merkle.leaf_hash(entry), completed)
    tree.append(db, completed)
