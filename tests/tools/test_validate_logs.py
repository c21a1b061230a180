"""The stock `aws cloudtrail validate-logs` on what a trail delivered: it passes, and it finds what was done to the files."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal
from tests.fixtures.clients import Credentials
from tests.fixtures.process import AWS, Process
from tests.fixtures.trails import eventually, files, records

CHAIN = 4
"""Digests that are waited for: with fewer there is no middle."""


class Delivered:
    """A server whose trail has delivered log files and digests, and was stopped then."""

    def __init__(self, server: Process) -> None:
        self.server = server
        answer = server.account(admin_user="admin")
        self.account_id: str = answer["account_id"]
        self.credentials = Credentials.of(answer["admin"])
        added = server.crownkeep("trail", "bucket", "add", "console", "--account", self.account_id, "--json")
        self.root = Path(json.loads(added.stdout)["place"])
        self.began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        named = ("--name", "audit")
        made = self.aws("cloudtrail", "create-trail", *named, "--s3-bucket-name", "console", "--enable-log-file-validation")
        self.arn: str = made["TrailARN"]
        self.aws("cloudtrail", "start-logging", *named)
        iam = server.client("iam", self.credentials)
        for number in range(CHAIN):
            iam.create_user(UserName=f"user-{number}")
            eventually(lambda wanted=number + 1: len(self.digests()) >= wanted and self.users() >= wanted)
        self.aws("cloudtrail", "stop-logging", *named)
        eventually(lambda: any(each["eventName"] == "StopLogging" for each in records(self.root)))
        eventually(self.is_listed)
        self.kept = self.root.parent / "kept"
        shutil.copytree(self.root, self.kept)

    def aws(self, *arguments: str) -> Any:
        return self.server.aws(*arguments, credentials=self.credentials)

    def digests(self) -> list[Path]:
        return files(self.root, "/CloudTrail-Digest/")

    def logs(self) -> list[Path]:
        return files(self.root, "/CloudTrail/")

    def users(self) -> int:
        return sum(each["eventName"] == "CreateUser" for each in records(self.root))

    def is_listed(self) -> bool:
        """Tell whether digests list every log file."""
        listed = {
            each["s3Object"] for path in self.digests() for each in json.loads(gzip.decompress(path.read_bytes()))["logFiles"]
        }
        return listed == {str(path.relative_to(self.root)) for path in self.logs()}

    def restore(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.kept, self.root)

    def validated(self) -> tuple[int, str]:
        """Run the command, and return its exit code and what it says."""
        signer = self.credentials
        keys = {"AWS_ACCESS_KEY_ID": signer.access_key_id, "AWS_SECRET_ACCESS_KEY": signer.secret_access_key}
        command = [str(AWS), "cloudtrail", "validate-logs", "--trail-arn", self.arn, "--start-time", self.began, "--verbose"]
        done = subprocess.run(
            command, env=self.server.environment | keys, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivered]:
    """What a trail delivered, once for the module."""
    server = Process(tmp_path_factory.mktemp("validated"), trail_delivery_seconds=1, trail_digest_seconds=2)
    server.start()
    yield Delivered(server)
    server.stop()


@pytest.fixture
def delivered(whole: Delivered) -> Iterator[Delivered]:
    """It, as it was delivered."""
    yield whole
    whole.restore()


def test_validate_logs_passes_end_to_end(delivered: Delivered):
    code, said = delivered.validated()

    assert 0 == code, said
    digests, logs = len(delivered.digests()), len(delivered.logs())
    assert f"{digests}/{digests} digest files valid" in said
    assert f"{logs}/{logs} log files valid" in said
    assert "INVALID" not in said


def changed(path: Path) -> None:
    text = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(text.replace(b"user-", b"abcd-", 1) if b"user-" in text else text.replace(b"S", b"T", 1)))


def change_a_log_file(found: Delivered) -> None:
    changed(found.logs()[0])


def remove_a_log_file(found: Delivered) -> None:
    found.logs()[0].unlink()


def exchange_two_log_files(found: Delivered) -> None:
    first, second, *_ = found.logs()
    text = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(text)


def change_a_digest(found: Delivered) -> None:
    path = found.digests()[-2]
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b" "))


def remove_a_digest(found: Delivered) -> None:
    found.digests()[-2].unlink()


def exchange_two_digests(found: Delivered) -> None:
    first, second = found.digests()[-2], found.digests()[-3]
    for one, other in ((first, second), (beside(first), beside(second))):
        text = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(text)


def exchange_two_signatures(found: Delivered) -> None:
    first, second = beside(found.digests()[-1]), beside(found.digests()[-2])
    text = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(text)


def beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.metadata")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change_a_log_file, r"Log file\t.*INVALID: hash value doesn't match"),
        (remove_a_log_file, r"Log file\t.*INVALID: not found"),
        (exchange_two_log_files, r"Log file\t.*INVALID: hash value doesn't match"),
        (change_a_digest, r"Digest file\t.*INVALID: signature verification failed"),
        (remove_a_digest, r"Digest file\t.*INVALID: not found"),
        (exchange_two_digests, r"Digest file\t.*INVALID: has been moved from its original location"),
        (exchange_two_signatures, r"Digest file\t.*INVALID: signature verification failed"),
    ],
)
def test_validate_logs_finds_what_was_done_to_the_files(delivered: Delivered, tamper: Callable[[Delivered], None], said: str):
    tamper(delivered)

    code, answer = delivered.validated()

    assert 1 == code, answer
    assert re.search(said, answer), answer


def cut_the_newest_files(found: Delivered) -> None:
    """Remove the newest digest and the log files that it lists."""
    last = found.digests()[-1]
    for each in json.loads(gzip.decompress(last.read_bytes()))["logFiles"]:
        (found.root / each["s3Object"]).unlink()
    last.unlink()


def cut(database: Path, *, below: int) -> int:
    """Remove the newest records from a trail with all that speaks of them, and return where it ends now."""
    with sqlite3.connect(database) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        [(size,)] = connection.execute("SELECT max(size) FROM trail_checkpoints WHERE size < ?", (below,)).fetchall()
        for table in ("event_resources", "events"):
            gone = "event_id IN (SELECT event_id FROM trail_leaves WHERE idx >= ?)"
            connection.execute(f"DELETE FROM {table} WHERE {gone}", (size,))
        connection.execute("DELETE FROM trail_leaves WHERE idx >= ?", (size,))
        for table in ("trail_cosignatures", "trail_checkpoints"):
            connection.execute(f"DELETE FROM {table} WHERE size > ?", (size,))
    return int(size)


def test_what_validate_logs_cannot_see_is_found_by_a_checkpoint_that_was_kept(delivered: Delivered, tmp_path: Path):
    kept, copied = tmp_path / "kept.checkpoint", tmp_path / "copy.db"
    crownkeep = Terminal({"CROWNKEEP_DATA": str(delivered.server.data)})
    kept.write_text(crownkeep("trail", "checkpoint").out)
    size = int(kept.read_text().splitlines()[1])
    with sqlite3.connect(delivered.server.data / "crownkeep.db") as source, sqlite3.connect(copied) as target:
        source.backup(target)
    cut_the_newest_files(delivered)
    ends_at = cut(copied, below=size)

    by_files = delivered.validated()
    by_nothing = crownkeep("trail", "verify", "--database", f"sqlite:///{copied}")
    by_checkpoint = crownkeep("trail", "verify", "--database", f"sqlite:///{copied}", "--checkpoint", str(kept))

    assert (0, False) == (by_files[0], "INVALID" in by_files[1]), by_files
    assert 0 == by_nothing.code, by_nothing.out
    assert 1 == by_checkpoint.code, by_checkpoint.out
    assert f"missing since the checkpoint of {size}: the records from index {ends_at} to {size - 1}" in by_checkpoint.out
