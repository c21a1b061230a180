"""kill -9 while a trail delivers, as soon as a file appears: every event is in one file, and each digest leads to the one before.

writer:   CreateUser -> 200   CreateUser -> 200 ...
delivery: file written | kill -9 | state kept                     -- start -- the same file again, or the next one
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.fixtures.process import Process
from tests.fixtures.trails import eventually, files, records

ROUNDS = 3


def test_kill_9_between_a_delivered_file_and_what_is_known_of_it_doubles_and_loses_nothing(serve: Callable[..., Process]):
    server = serve(trail_delivery_seconds=1, trail_digest_seconds=2)
    answer = server.account(admin_user="admin")
    added = server.crownkeep("trail", "bucket", "add", "kept", "--account", answer["account_id"], "--json")
    root = Path(json.loads(added.stdout)["place"])
    trails = server.client("cloudtrail", answer["admin"])
    trails.create_trail(Name="audit", S3BucketName="kept", EnableLogFileValidation=True)
    trails.start_logging(Name="audit")
    made = set[str]()

    for number in range(ROUNDS):
        iam = server.client("iam", answer["admin"])
        iam.create_user(UserName=f"user-{number}")
        made.add(f"user-{number}")
        # Digests come later than files: the last rounds wait for one of them.
        _kill_at_the_next_file(server, root, "CloudTrail-Digest" if number % 2 else "CloudTrail")
        _wait_out_the_claim(server)
        server.start()
    digested = eventually(lambda: _digested(root, made))

    events = Counter(each["eventID"] for each in records(root))
    assert {1} == set(events.values())
    assert {1} == set(digested.values())
    _follow_the_chain(root)
    server.stop()


def _names(root: Path) -> set[str]:
    return {str(Path(folder) / name) for folder, _, names in os.walk(root) for name in names}


def _kill_at_the_next_file(server: Process, root: Path, part: str) -> None:
    """Kill the server once there is another file, also one that is being written, in a folder of this name."""
    there, deadline = _names(root), time.monotonic() + 30
    while not any(f"/{part}/" in name for name in _names(root) - there):
        assert time.monotonic() < deadline, "nothing was delivered"
    server.kill()


def _wait_out_the_claim(server: Process) -> None:
    """As after the two minutes for which the killed process keeps the trail from others."""
    with closing(sqlite3.connect(server.data / "crownkeep.db")) as database, database:
        assert database.execute("UPDATE trails SET claimed_until = due_at").rowcount == 1


def _digested(root: Path, wanted: set[str]) -> Counter[str]:
    """Return how often digests name each file, once they name those of all users that were made; nothing before."""
    named = Counter(each["s3Object"] for digest in _digests(root) for each in digest["logFiles"])
    users = {
        record["requestParameters"]["userName"]
        for path in files(root, "/CloudTrail/")
        if str(path.relative_to(root)) in named
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]
        if record["eventName"] == "CreateUser"
    }
    return named if wanted <= users else Counter()


def _digests(root: Path) -> list[dict[str, Any]]:
    return [json.loads(gzip.decompress(path.read_bytes())) for path in files(root, "/CloudTrail-Digest/")]


def _follow_the_chain(root: Path) -> None:
    """Hold each digest against the one before it, and against the files that it names."""
    before: dict[str, str] = {}
    for path in files(root, "/CloudTrail-Digest/"):
        digest = json.loads(gzip.decompress(path.read_bytes()))
        for named in digest["logFiles"]:
            content = gzip.decompress((root / named["s3Object"]).read_bytes())
            assert hashlib.sha256(content).hexdigest() == named["hashValue"]
        if before:
            assert before["name"] == digest["previousDigestS3Object"]
            assert before["hash"] == digest["previousDigestHashValue"]
        before = {
            "name": str(path.relative_to(root)),
            "hash": hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest(),
        }
