"""A server that dies anywhere in a delivery: whoever goes on leaves no gap and no double in the chain of digests."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from tests.fixtures import coroutines
from tests.fixtures.crown import CHEAP
from tests.fixtures.trails import files
from tests.trail.test_log_batches import ACCOUNT, NOW, TRAIL, event

from crownkeep import app, data_directory
from crownkeep.audit import trail_scope
from crownkeep.audit.trail_scope import TrailScope
from crownkeep.operations.call import Wiring
from crownkeep.settings import Settings
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import buckets, events, trails
from crownkeep.storage.trail.buckets import BucketRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit
from crownkeep.trail.delivery import TrailDelivery

COMMITS = 6
"""Of one delivery: claimed, log files, key, end of the digest settled, digest, done. Dying before each, and after none."""
LATER = timedelta(hours=2)


class Died(Exception):
    """The server is gone."""


class MortalWriter:
    """Commits so many works, and then none any more, as a process does that was killed."""

    def __init__(self, database: Database, commits: int) -> None:
        self._database = database
        self._left = commits

    async def submit(self, work: Callable[[Transaction], Commit[Any]]) -> Any:
        """Commit a work, or die before it."""
        if self._left == 0:
            raise Died
        self._left -= 1
        with self._database.transaction() as db:
            done = work(db)
            events.add_all(db, done.events)
        return done.result


@dataclass(frozen=True, slots=True)
class Delivering:
    """A trail whose files are kept in a directory."""

    database: Database
    wiring: Wiring
    root: Path

    def record(self, first: int, count: int) -> list[EventRow]:
        """Keep events that the trail covers."""
        rows = [event(number) for number in range(first, first + count)]
        with self.database.transaction() as db:
            events.add_all(db, rows)
        return rows

    def deliver(self, *, at: datetime, commits: int = 1000) -> None:
        """Deliver what is due at a moment, by a process that dies after so many commits."""

        async def once() -> None:
            writer: Any = MortalWriter(self.database, commits)
            delivery = TrailDelivery(self.database, writer, self.wiring)
            await delivery.deliver_due()
            await delivery.stop()

        with time_machine.travel(at, tick=False):
            coroutines.run(once())

    def logs(self) -> list[Path]:
        """Return the log files that are there."""
        return files(self.root, "/CloudTrail/")

    def digests(self) -> list[dict[str, Any]]:
        """Return the digests in the order of their ends."""
        found = [json.loads(gzip.decompress(path.read_bytes())) for path in files(self.root, "/CloudTrail-Digest/")]
        return sorted(found, key=lambda digest: str(digest["digestEndTime"]))


@pytest.fixture
def delivering(tmp_path: Path) -> Iterator[Delivering]:
    settings = Settings(data=str(tmp_path / "data"), **CHEAP)
    database, wiring = app.open_wiring(settings, data_directory.prepare(settings))
    root = tmp_path / "bucket"
    root.mkdir()
    with database.transaction() as db:
        buckets.add(db, BucketRow(TRAIL.bucket_name, "b" * 32, ACCOUNT, str(root), "", "", "", "", None, NOW))
        trails.add(db, replace(TRAIL, has_digests=True, due_at=NOW, digest_due_at=NOW))
        trails.add_scope(db, TRAIL.trail_id, ACCOUNT, 1, trail_scope.write_scope(TrailScope("us-east-1", False, True)))
    yield Delivering(database, wiring, root)
    database.close()


@pytest.mark.parametrize("commits", range(COMMITS + 1))
def test_whoever_goes_on_after_a_death_leaves_no_gap_and_no_double(delivering: Delivering, commits: int):
    rows = delivering.record(0, 3)
    delivering.deliver(at=NOW + timedelta(minutes=1), commits=commits)
    rows += delivering.record(3, 2)
    delivering.deliver(at=NOW + LATER)
    rows += delivering.record(5, 2)
    delivering.deliver(at=NOW + 2 * LATER)

    digests = delivering.digests()
    listed = [each for digest in digests for each in digest["logFiles"]]
    delivered = Counter(event_id for each in listed for event_id in ids_in(delivering.root / each["s3Object"], each["hashValue"]))
    assert {str(row.event_id): 1 for row in rows} == delivered
    assert len(listed) == len({each["s3Object"] for each in listed})
    # No file lies beside them that a dead attempt left: whoever reads the bucket alone would find its events twice.
    assert {each["s3Object"] for each in listed} == {str(path.relative_to(delivering.root)) for path in delivering.logs()}
    assert digests[0]["previousDigestS3Object"] is None
    for before, after in itertools.pairwise(digests):
        assert before["digestS3Object"] == after["previousDigestS3Object"]
        assert before["digestEndTime"] == after["digestStartTime"]
        text = gzip.decompress((delivering.root / before["digestS3Object"]).read_bytes())
        assert hashlib.sha256(text).hexdigest() == after["previousDigestHashValue"]


def ids_in(path: Path, sha256: str) -> list[str]:
    """Return the ids of the events in a log file, which is the one that its digest lists."""
    text = gzip.decompress(path.read_bytes())
    assert sha256 == hashlib.sha256(text).hexdigest()
    return [each["eventID"] for each in json.loads(text)["Records"]]


def test_two_servers_that_deliver_at_once_put_each_event_into_one_file(delivering: Delivering):
    rows = delivering.record(0, 8)

    async def both() -> None:
        writer: Any = MortalWriter(delivering.database, 1000)
        servers = [TrailDelivery(delivering.database, writer, delivering.wiring) for _ in range(2)]
        await asyncio.gather(*(each.deliver_due() for each in servers))
        await asyncio.gather(*(each.stop() for each in servers))

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        coroutines.run(both())

    listed = [each for digest in delivering.digests() for each in digest["logFiles"]]
    assert 1 == len(delivering.digests())
    assert [each["s3Object"] for each in listed] == [str(path.relative_to(delivering.root)) for path in delivering.logs()]
    assert {str(row.event_id): 1 for row in rows} == Counter(
        event_id for each in listed for event_id in ids_in(delivering.root / each["s3Object"], each["hashValue"])
    )


class OvertakenWriter(MortalWriter):
    """Commits as `MortalWriter` does, but is held up before one of its works, while somebody else goes on."""

    def __init__(self, database: Database, before: int, meanwhile: Callable[[], None]) -> None:
        super().__init__(database, 1000)
        self._works = itertools.count()
        self._before = before
        self._meanwhile = meanwhile

    async def submit(self, work: Callable[[Transaction], Commit[Any]]) -> Any:
        """Commit a work, and before one of them let the other go on."""
        if next(self._works) == self._before:
            await asyncio.to_thread(self._meanwhile)
        return await super().submit(work)


def test_a_server_that_is_held_up_past_its_claim_doubles_nothing(delivering: Delivering):
    rows = delivering.record(0, 3)

    def meanwhile() -> None:
        # The other delivers the same file, and dies with its next one in the bucket.
        rows.extend(delivering.record(3, 2))
        delivering.deliver(at=NOW + LATER, commits=1)
        delivering.deliver(at=NOW + LATER + timedelta(minutes=5), commits=2)

    async def overtaken() -> None:
        writer: Any = OvertakenWriter(delivering.database, 1, meanwhile)
        held_up = TrailDelivery(delivering.database, writer, delivering.wiring)
        await held_up.deliver_due()
        await held_up.stop()

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        coroutines.run(overtaken())
    delivering.deliver(at=NOW + 2 * LATER)

    listed = [each for digest in delivering.digests() for each in digest["logFiles"]]
    assert sorted(each["s3Object"] for each in listed) == sorted(
        str(path.relative_to(delivering.root)) for path in delivering.logs()
    )
    assert {str(row.event_id): 1 for row in rows} == Counter(
        event_id for each in listed for event_id in ids_in(delivering.root / each["s3Object"], each["hashValue"])
    )
