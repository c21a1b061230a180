"""Leaves get their indexes once each, whoever sequences, and the tree is that of RFC 6962."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from crownkeep import ids
from crownkeep.audit import merkle
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints, events, leaves, sequencing, tree, withholdings
from crownkeep.storage.trail.checkpoints import CheckpointRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.sequencing import Sequenced
from crownkeep.storage.trail.tree import AlteredTree, IncompleteTree
from crownkeep.storage.trail.withholdings import WithholdingAct

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ACCOUNT = "111122223333"


def event(number: int, account_id: str = ACCOUNT) -> EventRow:
    at = NOW + timedelta(milliseconds=number)
    event_id = ids.event_id(at, number.to_bytes(10, "big"))
    named = (("AWS::IAM::User", f"user-{number}"),)
    return EventRow(account_id, event_id, at, "iam.amazonaws.com", "CreateUser", "false", "root", "", b"{}", named)


def write(database: Database, first: int, count: int) -> None:
    with database.transaction() as db:
        events.add_all(db, [event(number) for number in range(first, first + count)])


def step(database: Database, *, holder: str = "a", now: datetime = NOW, limit: int = sequencing.AT_ONCE) -> Sequenced | None:
    with database.transaction() as db:
        return sequencing.step(db, None, holder=holder, now=now, until=now + timedelta(seconds=1), limit=limit)


def sign(db: Transaction, size: int) -> None:
    root = merkle.root_at(size, tree.Nodes(db))
    checkpoints.add(db, CheckpointRow(size, "log", root, NOW, ""), [])


def everything(database: Database) -> list[bytes]:
    with database.snapshot() as db:
        return leaves.entries(db, 0, leaves.count(db))


def test_every_event_has_one_leaf_in_the_order_in_which_it_was_written(database: Database):
    write(database, 0, 700)

    while (done := step(database, limit=300)) is not None and done.has_more:
        pass

    entries = everything(database)
    expected = [leaves.make(event(number), b"{}") for number in range(700)]
    assert expected == entries
    with database.snapshot() as db:
        assert not leaves.has_pending(db)
        root = merkle.root_of([merkle.leaf_hash(entry) for entry in entries])
        assert root == tree.frontier(db, 700).root()
        assert root == merkle.root_at(700, tree.Nodes(db))
        assert [merkle.folded([merkle.leaf_hash(each) for each in entries[:256]])] == tree.row(db, 1, 0, 1)


def test_leaves_that_waited_when_the_server_was_upgraded_get_the_next_indexes(database: Database):
    with database.transaction() as db:
        db.execute(insert(leaves.pending), [waiting(event(number)) for number in range(300)])
    write(database, 300, 5)

    while (done := step(database, limit=200)) is not None and done.has_more:
        pass

    entries = everything(database)
    assert {leaves.make(event(number), b"{}") for number in range(305)} == {*entries}
    assert 305 == len(entries)
    with database.snapshot() as db:
        assert 0 == leaves.pending_count(db)
        assert tree.frontier(db, 305).root() == merkle.root_of([merkle.leaf_hash(each) for each in entries])


def test_a_sequencer_that_died_before_it_signed_is_followed_by_one_that_goes_on(database: Database):
    write(database, 0, 600)
    step(database)
    with database.transaction() as db:
        sign(db, 400)
    write(database, 600, 200)

    done = step(database, holder="b", now=NOW + timedelta(seconds=2))

    assert done is not None
    assert not done.has_more
    entries = everything(database)
    assert 800 == len(entries) == done.frontier.size
    assert merkle.root_of([merkle.leaf_hash(each) for each in entries]) == done.frontier.root()
    with database.snapshot() as db:
        assert done.frontier.peaks == tree.frontier(db, 800).peaks


def test_two_sequencers_that_lose_the_lease_at_every_step_number_each_leaf_once(database: Database):
    other = Database(database.url)
    now = NOW
    for first in range(0, 60, 3):
        write(database, first, 3)
        for holder, its in (("a", database), ("b", other)):
            step(its, holder=holder, now=now, limit=2)
            # Whoever has it next finds the lease run out, or has to wait for the row.
            now += timedelta(seconds=first % 3)
    step(database, holder="c", now=now + timedelta(seconds=2))
    other.close()

    entries = everything(database)
    assert 60 == len(entries) == len(set(entries))
    with database.snapshot() as db:
        assert tree.frontier(db, 60).root() == merkle.root_of([merkle.leaf_hash(each) for each in entries])


def test_sequencers_at_the_same_moment_number_each_leaf_once(database: Database):
    others = [Database(database.url) for _ in range(2)]
    done = threading.Event()

    def sequence(its: Database, holder: str) -> None:
        while True:
            last = done.is_set()
            # Its term has run out before it begins: only the row's lock keeps them apart.
            taken = its.write(lambda db: sequencing.step(db, None, holder=holder, now=NOW, until=NOW, limit=7))
            if last and (taken is None or not taken.has_more):
                return

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(sequence, its, holder) for its, holder in zip(others, "ab", strict=True)]
        for first in range(0, 120, 6):
            write(database, first, 6)
        done.set()
        for each in running:
            each.result(timeout=60)
    for its in others:
        its.engine.dispose()

    entries = everything(database)
    assert 120 == len(entries) == len(set(entries))
    with database.snapshot() as db:
        assert tree.frontier(db, 120).root() == merkle.root_of([merkle.leaf_hash(each) for each in entries])


def test_a_lease_that_another_holds_is_left_alone_until_it_runs_out(database: Database):
    write(database, 0, 1)
    held = step(database, holder="a", now=NOW, limit=0)

    early, late = step(database, holder="b", now=NOW), step(database, holder="b", now=NOW + timedelta(seconds=1))

    assert held is not None
    assert early is None
    assert late is not None
    assert 1 == late.frontier.size


def test_a_tree_that_does_not_continue_the_last_checkpoint_is_not_signed(database: Database):
    write(database, 0, 5)
    step(database)
    with database.transaction() as db:
        checkpoints.add(db, CheckpointRow(4, "log", bytes(32), NOW, ""), [])

    with pytest.raises(AlteredTree, match="do not lead to the root"):
        step(database)


def test_a_tree_that_is_shorter_than_the_last_checkpoint_is_not_signed(database: Database):
    write(database, 0, 5)
    step(database)
    with database.transaction() as db:
        checkpoints.add(db, CheckpointRow(6, "log", bytes(32), NOW, ""), [])

    with pytest.raises(AlteredTree, match="counts 6 records, and the tree has 5"):
        step(database)


@pytest.mark.parametrize("known", ["by one that has just begun", "by one that remembers its last step"])
def test_a_false_node_that_stands_already_stops_the_sequencer(database: Database, known: str):
    write(database, 0, 250)
    before = step(database)
    assert before is not None
    with database.transaction() as db:
        sign(db, 250)
        db.execute(insert(tree.table).values(level=1, number=0, hash=bytes(32)))
    write(database, 250, 50)
    frontier = before.frontier if "remembers" in known else None

    # The transaction is committed, as the writer commits what others do in it: so nothing may have been written by then.
    with (
        database.transaction() as db,
        pytest.raises(AlteredTree, match=r"node 0 of level 1 .* the leaves 0 to 255 lead to another"),
    ):
        sequencing.step(db, frontier, holder="a", now=NOW, until=NOW)

    with database.snapshot() as db:
        assert [bytes(32)] == tree.row(db, 1, 0, 1)
        assert leaves.count(db) + leaves.pending_count(db) == 300
        assert (250 if database.engine.dialect.name == "postgresql" else 300) == leaves.count(db)


def test_nodes_that_nobody_has_signed_are_not_built_on(database: Database):
    write(database, 0, 300)
    with database.transaction() as db:
        db.execute(insert(tree.table).values(level=1, number=0, hash=bytes(32)))

    with pytest.raises(AlteredTree, match="node 0 of level 1"):
        step(database)


def test_a_leaf_that_is_missing_is_noticed(database: Database):
    write(database, 0, 3)
    step(database)
    drop_triggers(database)
    with database.transaction() as db:
        db.execute(delete(leaves.table).where(leaves.table.c.idx == 1))

    with pytest.raises(IncompleteTree):
        step(database)


def drop_triggers(database: Database) -> None:
    with database.transaction() as db:
        if database.is_sqlite:
            names = db.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                db.execute(text(f"DROP TRIGGER {name}"))
        else:
            for name in ("", "_unless_withheld", "_unless_sequenced"):
                db.execute(text(f"DROP FUNCTION crownkeep_trail_refuses{name}() CASCADE"))


REFUSED = {
    "an event is changed": update(events.table).values(username="nobody"),
    "an event is removed": delete(events.table),
    "a resource is changed": update(events.resources).values(resource_type="x"),
    "a resource is removed": delete(events.resources),
    "a leaf is changed": update(leaves.table).values(leaf=b""),
    "a leaf is removed": delete(leaves.table),
    "a leaf that waits is changed": update(leaves.pending).values(leaf=b""),
    "a leaf that waits is removed": delete(leaves.pending),
    "a node is changed": update(tree.table).values(hash=b""),
    "a node is removed": delete(tree.table),
    "a checkpoint is changed": update(checkpoints.table).values(root=b""),
    "a checkpoint is removed": delete(checkpoints.table),
    "a withholding is changed": update(withholdings.table).values(records=0),
    "a withholding is removed": delete(withholdings.table),
}


def waiting(row: EventRow) -> dict[str, object]:
    """Return what waits where a leaf was written by a version that gave none its index at once."""
    return {"event_id": row.event_id.bytes, "account_id": row.account_id, "leaf": leaves.make(row, row.record)}


@pytest.fixture
def furnished(database: Database) -> Database:
    """A database with something in every table of the trail."""
    write(database, 0, 256)
    step(database)
    write(database, 300, 2)
    with database.transaction() as db:
        sign(db, 256)
        act = WithholdingAct(UUID(int=7), "law", "a court's order", "somebody", NOW)
        withholdings.withhold_one(db, ACCOUNT, event(3).event_id, act)
        # On PostgreSQL the last two wait as well.
        db.execute(insert(leaves.pending), waiting(event(400)))
    return database


@pytest.mark.parametrize("what", REFUSED)
def test_append_only_at_rest_refuses_that(furnished: Database, what: str):
    with pytest.raises(DBAPIError, match="append-only"), furnished.transaction() as db:
        db.execute(REFUSED[what])


def test_append_only_at_rest_refuses_to_replace(furnished: Database):
    if not furnished.is_sqlite:
        with pytest.raises(DBAPIError, match="append-only"), furnished.transaction() as db:
            db.execute(text("TRUNCATE events"))
        return
    with furnished.transaction() as db:
        tree.append(db, [(16, 5, bytes(32))])
        db.execute(insert(leaves.pending), [waiting(event(500))])
    tables = ("events", "trail_leaves", "trail_nodes", "trail_pending", "trail_checkpoints", "trail_withholdings")
    # A leaf goes from its place, too, where a new one elsewhere has its event.
    moved = "INSERT OR REPLACE INTO trail_leaves SELECT idx + 10000, event_id, account_id, leaf FROM trail_leaves"
    # And so does a row of which a new one has the number that SQLite itself gives it.
    rest = "happened_at, source, name, read_only, username, access_key_id, body"
    by_number = (
        "INSERT OR REPLACE INTO trail_nodes (rowid, level, number, hash) SELECT rowid, 99, number, hash FROM trail_nodes",
        f"INSERT OR REPLACE INTO events (oid, account_id, event_id, {rest}) SELECT rowid, '9', event_id, {rest} FROM events",
    )
    for statement in (*(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" for table in tables), moved, *by_number):
        with pytest.raises(DBAPIError, match="append-only"), furnished.transaction() as db:
            db.execute(text(statement))


def test_a_withheld_record_is_gone_and_its_leaf_stays(furnished: Database):
    found = event(3).event_id
    with furnished.snapshot() as db:
        one = events.newest(db, ACCOUNT, first=found, before=UUID(int=found.int + 1), limit=1)
        of_it = select(events.resources).where(events.resources.c.event_id == found.bytes)

        assert [] == one
        assert [] == db.execute(of_it).all()
        assert (3, leaves.make(event(3), b"{}")) == leaves.of_event(db, found)
        assert [1] == [row.records for row in withholdings.every(db)]


def test_a_withholding_of_one_account_lets_nothing_of_another_go(furnished: Database):
    with furnished.transaction() as db:
        events.add_all(db, [event(900, "444455556666")])
        act = WithholdingAct(UUID(int=8), "purge", "purged", "somebody", NOW)

        row = withholdings.withhold(db, ACCOUNT, act)

    assert row is not None
    assert 257 == row.records
    with pytest.raises(DBAPIError, match="append-only"), furnished.transaction() as db:
        db.execute(delete(events.table))


def test_a_leaf_can_not_take_the_place_of_another(furnished: Database):
    with pytest.raises(DBAPIError), furnished.transaction() as db:
        db.execute(insert(leaves.table), {"idx": 999, "event_id": event(1).event_id.bytes, "account_id": "", "leaf": b""})
