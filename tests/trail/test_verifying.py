"""Tampering by somebody with the whole database is found by whoever has kept one checkpoint, and nothing else is claimed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trail import tampering
from tests.trail.tampering import SIZE, TAMPERINGS

from crownkeep.audit import notes
from crownkeep.audit.notes import Note
from crownkeep.audit.verification import TrailFault
from crownkeep.storage.database import Database
from crownkeep.storage.trail import checkpoints
from crownkeep.trail import publishing, verifying
from crownkeep.trail.verifying import TrailReport

# Counts are few in `make test`; the nightly profile, or this variable, makes them as many as there is time for.
EXAMPLES = int(os.environ.get("CROWNKEEP_TAMPERINGS", "0")) or settings().max_examples // 2


class Trail:
    """A furnished trail in a file, and the checkpoint that somebody has kept of it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept: Note | None = None

    def opened(self) -> Database:
        return Database(f"sqlite:///{self.file}")


def kept(database: Database) -> Note:
    with database.snapshot() as db:
        newest = checkpoints.newest(db)
        assert newest is not None
        return notes.read(publishing.note(db, newest))


def verified(database: Database, old: Note | None) -> TrailReport:
    with database.snapshot() as db:
        return verifying.verify(db, policy=None, olds=[old] if old else [], progress=lambda _: None)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Trail:
    made = Trail(tmp_path_factory.mktemp("trail") / "crownkeep.db")
    database = made.opened()
    tampering.furnish(database)
    made.kept = kept(database)
    database.close()
    return made


@pytest.fixture
def furnished(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A furnished trail of this test's own, on each database."""
    url = f"sqlite:///{tmp_path}/test.db" if database_kind == "sqlite" else request.getfixturevalue("postgres").database()
    opened = Database(url)
    tampering.furnish(opened)
    yield opened
    opened.close()


def test_a_trail_that_nobody_touched_raises_no_alarm(furnished: Database):
    report = verified(furnished, kept(furnished))

    assert [] == report.findings.first
    assert (SIZE, SIZE, SIZE, 3) == (report.size, report.signed, report.records, report.checkpoints)


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found_where(trail: Trail, tmp_path: Path, what: str):
    found = tampered(trail, tmp_path / "copy.db", [(TAMPERINGS[what], 120)])

    assert not found.is_as_it_was


def _what(doing: tuple[str, int]) -> str:
    # Done twice, some of it would undo itself.
    return doing[0]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(TAMPERINGS)), st.integers(0, SIZE - 1)), min_size=1, max_size=3, unique_by=_what)
)
@settings(max_examples=EXAMPLES)
def test_tampering_of_any_kind_and_in_any_order_is_found(trail: Trail, doings: list[tuple[str, int]]):
    file = trail.file.with_name("tampered.db")

    found = tampered(trail, file, [(TAMPERINGS[what], number) for what, number in doings], may_fail=True)

    assert not found.is_as_it_was


def tampered(trail: Trail, file: Path, doings: list[tuple[Callable[..., None], int]], *, may_fail: bool = False) -> TrailReport:
    """Verify a copy of a trail after something was done to it; a second step may find nothing to do any more."""
    shutil.copy(trail.file, file)
    database = Database(f"sqlite:///{file}")
    with database.transaction() as db:
        tampering.disarm(db)
    for place, (do, number) in enumerate(doings):
        try:
            with database.transaction() as db:
                do(db, number)
        except Exception:
            if not may_fail or place == 0:
                raise
    report = verified(database, trail.kept)
    database.close()
    return report


@pytest.mark.parametrize(
    ("what", "kind", "named"),
    [
        ("a record is changed", TrailFault.RECORD_CHANGED, 120),
        ("a user name is changed", TrailFault.COLUMNS_CHANGED, 120),
        ("a record is removed with its resources", TrailFault.RECORD_MISSING, 120),
        ("a leaf is removed", TrailFault.LEAF_MISSING, 120),
        ("a node is changed", TrailFault.NODE_CHANGED, 0),
        ("a withholding is claimed", TrailFault.WITHHOLDING_UNTRUE, None),
        ("a record is inserted", TrailFault.RECORD_WITHOUT_LEAF, None),
    ],
)
def test_what_was_tampered_with_is_named(furnished: Database, what: str, kind: TrailFault, named: int | None):
    with furnished.transaction() as db:
        tampering.disarm(db)
        TAMPERINGS[what](db, 120)

    found = verified(furnished, None).findings.first

    assert (kind, named) in [(each.kind, each.index) for each in found]


def test_a_cut_end_is_found_by_an_old_checkpoint_and_by_nothing_else(furnished: Database):
    old = kept(furnished)
    with furnished.transaction() as db:
        tampering.disarm(db)
        TAMPERINGS["the end is cut off"](db, 200)

    without, given_one = verified(furnished, None), verified(furnished, old)

    assert without.is_as_it_was
    assert "missing since the checkpoint of 300: the records from index 200 to 299" in [
        each.text for each in given_one.findings.first
    ]


def test_keys_that_somebody_put_in_place_of_the_log_s_are_not_believed(furnished: Database):
    old = kept(furnished)
    with furnished.transaction() as db:
        tampering.disarm(db)
        db.exec_driver_sql("DELETE FROM trail_log_keys")

    found = verified(furnished, old)

    assert {TrailFault.SIGNATURE_WRONG, TrailFault.CHECKPOINT_CHANGED} <= found.findings.counts.keys()
