"""`make bench-trail`: what the tree costs a record, and what looking at a long trail takes, beside floors.

The floors are the database's own commits and SHA-256 over the same bytes. Everything runs in this process on SQLite. Times are
of computing, but those of the empty commit are what somebody waits; of look-ups both are shown. `ARGS="--records 10000000
--keep DIR"` fills a trail of ten million records in DIR, and looks into the one that is there already the next time.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from crownkeep import ids
from crownkeep.audit.merkle import Frontier
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring
from crownkeep.domain import trail_keys
from crownkeep.storage import migrate
from crownkeep.storage.database import Database
from crownkeep.storage.trail import checkpoints, events, leaves, log_keys, sequencing
from crownkeep.storage.trail.events import EventRow
from crownkeep.trail import catching_up, signing, verifying

RECORDS = 200_000
GROUP = 32
LOOKUPS = 400
_LATEST = UUID(int=(1 << 128) - 1)
_BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
_RESULTS = Path(__file__).parent / "results"
_PADDING = "aws-cli/2.38.1 md/awscrt#0.31 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13 cfg/retry-mode#standard"


def main() -> None:
    """Measure, print, and keep the figures in bench/results."""
    options = _options()
    count = options.records
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as passing:
        file = (options.keep or Path(passing)) / "crownkeep.db"
        file.parent.mkdir(parents=True, exist_ok=True)
        database = Database(f"sqlite:///{file}")
        migrate.upgrade(database)
        keyring = Keyring([sealing.mint_key(bytes(32), made=_BEGAN.date())])
        trail_keys.prepare(database, keyring)
        with database.snapshot() as db:
            filled = leaves.count(db)
        found = _writing(database, filled, count) if filled < count else {}
        found |= _sequencing(database, keyring) | _signing(database, keyring)
        found |= _looking_up(database, count)
        found |= {} if options.only_lookups else _verifying(database, count)
        database.close()
        found["bytes on disk, a record"] = file.stat().st_size / count
    found["memory at most, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, value in found.items():
        print(f"{name:<56} {value:>12.2f}")
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / "trail.json").write_text(json.dumps({"records": count, **found}, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the trail's tree.")
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--keep", type=Path, help="where the filled database stays, and is found the next time")
    parser.add_argument("--only-lookups", action="store_true", help="verify nothing")
    return parser.parse_args()


def _event(number: int) -> EventRow:
    at = _BEGAN + timedelta(milliseconds=number)
    event_id = ids.event_id(at, number.to_bytes(10, "big"))
    user = f"user-{number % 1000}"
    record = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": user, "arn": f"arn:aws:iam::111122223333:user/{user}"},
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": _PADDING,
        "requestParameters": {"userName": f"made-{number}"},
        "responseElements": {"user": {"userName": f"made-{number}", "path": "/", "createDate": f"{at:%Y-%m-%dT%H:%M:%SZ}"}},
        "requestID": str(UUID(int=number)),
        "eventID": str(event_id),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }
    row = EventRow(
        account_id="111122223333",
        event_id=event_id,
        happened_at=at,
        source="iam.amazonaws.com",
        name="CreateUser",
        read_only="false",
        username=user,
        access_key_id=f"AKIA{number % 1000:016}",
        record=json.dumps(record, separators=(",", ":")).encode(),
    )
    return replace(row, resources=(("AWS::IAM::User", f"made-{number}"),))


def _writing(database: Database, filled: int, count: int) -> dict[str, float]:
    spent = leaf_time = hash_time = 0.0
    for first in range(filled, count, GROUP):
        rows = [_event(number) for number in range(first, min(first + GROUP, count))]
        began = time.process_time()
        made = [leaves.make(row, row.record) for row in rows]
        leaf_time += time.process_time() - began
        began = time.process_time()
        for row in rows:
            sha256(row.record).digest()
        hash_time += time.process_time() - began
        began = time.process_time()
        with database.transaction() as db:
            events.add_all(db, rows)
        spent += time.process_time() - began
        assert made
    new = count - filled
    return {
        "floor: SHA-256 of a record, us": hash_time / new * 1e6,
        "a leaf is made, us": leaf_time / new * 1e6,
        f"a record is written in groups of {GROUP}, us": spent / new * 1e6,
        "floor: an empty commit, us": _floor(database),
    }


def _floor(database: Database) -> float:
    began = time.perf_counter()
    for number in range(50):
        with database.transaction() as db:
            db.exec_driver_sql(f"PRAGMA user_version = {number}")
    return (time.perf_counter() - began) / 50 * 1e6


def _sequencing(database: Database, keyring: Keyring) -> dict[str, float]:
    with database.snapshot() as db:
        newest = checkpoints.newest(db)
        waiting = leaves.count(db) - (newest.size if newest else 0)
    if not waiting:
        return {}
    began = time.process_time()
    catching_up.catch_up(database, keyring)
    return {f"the tree grows by a leaf, {sequencing.AT_ONCE} at once, us": (time.process_time() - began) / waiting * 1e6}


def _signing(database: Database, keyring: Keyring) -> dict[str, float]:
    now = datetime.now(UTC)
    with database.snapshot() as db:
        signers = trail_keys.signers(keyring, log_keys.every(db, log_keys.LOG), now=now)
    frontier = Frontier(1, [bytes(32)])
    return {"a checkpoint is signed twice, ms": _best(lambda: signing.sign(frontier, signers, now=now)) * 1e3}


def _verifying(database: Database, count: int) -> dict[str, float]:
    began = time.process_time()
    with database.snapshot() as db:
        report = verifying.verify(db, policy=None, olds=[], progress=lambda _: None)
    assert report.is_as_it_was, report.findings.first[:3]
    assert report.records == count
    return {"a million records are verified, s": (time.process_time() - began) / count * 1e6}


def _looking_up(database: Database, count: int) -> dict[str, float]:
    """Look events up by every attribute, half of them in the past, and return what the slowest of a hundred took."""
    chance = random.Random(4747)
    found: dict[str, float] = {}
    for key in ("EventId", "EventName", "ReadOnly", "Username", "EventSource", "AccessKeyId", "ResourceName", "ResourceType"):
        times = sorted(_looked_up(database, key, chance.randrange(count), number % 2 == 0) for number in range(LOOKUPS))
        waits = sorted(wait for _, wait in times)
        found[f"LookupEvents by {key}, p99 of computing in ms"] = times[LOOKUPS * 99 // 100][0] * 1e3
        found[f"LookupEvents by {key}, p99 of waiting in ms"] = waits[LOOKUPS * 99 // 100] * 1e3
    return found


def _looked_up(database: Database, key: str, number: int, is_past: bool) -> tuple[float, float]:
    row = _event(number)
    value = {
        "EventId": str(row.event_id),
        "EventName": row.name,
        "ReadOnly": row.read_only,
        "Username": row.username,
        "EventSource": row.source,
        "AccessKeyId": row.access_key_id,
        "ResourceName": row.resources[0][1],
        "ResourceType": row.resources[0][0],
    }[key]
    before = UUID(int=row.event_id.int + 1) if is_past else _LATEST
    began, began_to_wait = time.process_time(), time.perf_counter()
    with database.snapshot() as db:
        some = events.newest(db, row.account_id, first=UUID(int=0), before=before, limit=50, attribute=(key, value))
    taken = time.process_time() - began, time.perf_counter() - began_to_wait
    assert some
    return taken


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(30):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    main()
