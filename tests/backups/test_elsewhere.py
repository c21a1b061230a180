"""Backups in buckets, for recipients, and with the sealing key inside: opened by whom they were made for, and by nobody else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import msgspec
import pytest
from tests.backups.conftest import backed_up

from crownkeep import clock, data_directory
from crownkeep.backups import making, passphrases, restoring, targets
from crownkeep.backups.faults import BackupFault
from crownkeep.credentials import recipients
from crownkeep.credentials.recipients import UnusableRecipient, Wrapped
from crownkeep.credentials.secret import Secret
from crownkeep.storage.database import Database

PASSPHRASE = "four words that nobody guesses"
XML = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>{}</ListBucketResult>'


class Bucket:
    """As much of S3 as backups need, in memory; it takes `room` objects."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.room = 1000
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                if self.headers.get("Expect") == "100-continue":
                    self.send_response_only(100)
                    self.end_headers()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if len(bucket.objects) >= bucket.room:
                    self.answer(403, b"<Error><Code>QuotaExceeded</Code><Message>full</Message></Error>")
                    return
                bucket.objects[unquote(urlsplit(self.path).path)] = body
                self.answer(200, b"")

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if "list-type" in parts.query:
                    asked = parse_qs(parts.query)
                    self.answer(200, bucket.listed(asked["prefix"][0], is_deep="delimiter" not in asked))
                    return
                found = bucket.objects.get(unquote(parts.path))
                self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>") if found is None else self.answer(200, found)

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def listed(self, prefix: str, *, is_deep: bool) -> bytes:
        inside = {key.removeprefix("/backups/"): len(body) for key, body in self.objects.items()}
        if is_deep:
            kept = sorted(key for key in inside if key.startswith(prefix))
            contents = (f"<Contents><Key>{escape(key)}</Key><Size>{inside[key]}</Size></Contents>" for key in kept)
            return XML.format("".join(contents)).encode()
        names = sorted({key.removeprefix(prefix).partition("/")[0] for key in inside if key.startswith(prefix)})
        found = "".join(f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>" for name in names)
        return XML.format(found).encode()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket at a server of the test's own, and the credentials for it where AWS's tools look for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    held = Bucket()
    yield held
    held.server.shutdown()
    held.server.server_close()


@pytest.fixture
def at(bucket: Bucket) -> tuple[str, ...]:
    """The words that name the bucket."""
    return ("s3://backups/crownkeep", "--endpoint", bucket.url)


@pytest.fixture(autouse=True)
def used(made, monkeypatch):
    """An installation with something in it; passphrases are hashed quickly."""
    monkeypatch.setattr(passphrases, "_MEMORY_KIB", 1024)
    made("--admin-user", "admin")


def test_a_backup_goes_to_a_bucket_and_comes_back(crownkeep, bucket, at, data, tmp_path):
    created = crownkeep("backup", "create", "--to", *at, "--json")
    assert (0, "") == (created.code, created.err)
    answer = created.json()

    listed = crownkeep("backup", "list", *at, "--json").json()["backups"]
    verified = crownkeep("backup", "verify", *at, "--key", answer["vkey"], "--json").json()
    key = str(data / "sealing.key")
    back = crownkeep("backup", "restore", *at, "--data", str(tmp_path / "new"), "--sealing-key", key, "--json")

    assert f"s3://backups/crownkeep/{answer['name']}" == answer["path"] == listed[0]["path"]
    assert {f"/backups/crownkeep/{answer['name']}/{name}" for name in ("manifest", "part-00001")} == set(bucket.objects)
    assert [True] == [each["ok"] for each in verified["backups"]]
    assert answer["records"] == back.json()["records"]


def test_a_backup_that_never_reached_the_bucket_whole_is_none(crownkeep, bucket, at):
    bucket.room = 1

    failed = crownkeep("backup", "create", "--to", *at)

    assert 1 == failed.code
    assert "no backup was made: the bucket `backups` does not do what is asked" in failed.err
    assert [] == crownkeep("backup", "list", *at, "--json").json()["backups"]
    assert "FailBackup" in crownkeep("trail", "list").out


def test_a_part_that_was_changed_or_grew_in_the_bucket_is_noticed(crownkeep, bucket, at, data):
    crownkeep("backup", "create", "--to", *at)
    name = next(key for key in bucket.objects if key.endswith("part-00001"))
    bucket.objects[name] += b"x"

    verified = crownkeep("backup", "verify", *at, "--json")

    assert (1, ["`part-00001` is not what was written"]) == (verified.code, verified.json()["backups"][0]["findings"])
    refused = crownkeep("backup", "drill", *at, "--sealing-key", str(data / "sealing.key"))
    assert (1, True) == (refused.code, "is not sound" in refused.err)


@pytest.mark.parametrize("target", ["s3://", "s3://B/x", "s3://backups/a b", "s3://backups/../x?y"])
def test_what_is_no_bucket_is_refused(crownkeep, target):
    assert 1 == crownkeep("backup", "list", target).code


def test_a_backup_for_a_recipient_opens_with_the_identity_and_the_sealing_key_alone(crownkeep, shelf, data, tmp_path):
    mine, others = str(tmp_path / "mine"), str(tmp_path / "others")
    for file in (mine, others):
        assert 0 == crownkeep("backup", "new-recipient", file).code
    backed_up(crownkeep, shelf, "--recipient", f"{mine}.pub")
    words = ("backup", "drill", str(shelf), "--sealing-key", str(data / "sealing.key"))

    assert 0 == crownkeep(*words, "--identity", mine).code
    without, wrong = crownkeep(*words), crownkeep(*words, "--identity", others)

    assert (1, 1) == (without.code, wrong.code)
    assert "the backup was sealed for a recipient: give the identity's file" in without.err
    assert "the identity does not open this" in wrong.err
    assert 0o600 == (tmp_path / "mine").stat().st_mode & 0o777
    assert 1 == crownkeep("backup", "new-recipient", mine).code


def test_nobody_without_the_sealing_key_makes_a_backup_that_a_recipient_takes_for_ours(crownkeep, shelf, data):
    folder = backed_up(crownkeep, shelf)
    found, _ = targets.read_manifest(folder)
    identity = recipients.mint(clock.token_bytes(recipients.ENTROPY))
    forged = recipients.wrap(identity.public, clock.token_bytes(32), kind=Wrapped.BACKUP_KEY, bound_to=found.backup_id)

    with pytest.raises(BackupFault, match="the sealing key does not open the backup"):
        restoring.keys_of(
            msgspec.structs.replace(found, wrapped_key=forged),
            key_file=(data / "sealing.key").read_bytes(),
            identity=identity.private,
        )


def test_the_sealing_key_is_inside_only_where_that_was_asked_for_and_opens_by_its_passphrase(crownkeep, shelf, data, tmp_path):
    (tmp_path / "words").write_text(f"{PASSPHRASE}\n")
    (tmp_path / "wrong").write_text("four words that somebody guesses\n")
    folder = backed_up(crownkeep, shelf, "--include-sealing-key", str(tmp_path / "words"))
    new = tmp_path / "new"
    words = ("backup", "restore", str(shelf), "--data", str(new), "--passphrase-file")

    refused, back = crownkeep(*words, str(tmp_path / "wrong")), crownkeep(*words, str(tmp_path / "words"))

    assert (1, "the passphrase does not open the sealing key" in refused.err) == (refused.code, True)
    assert (0, "") == (back.code, back.err)
    kept, came = data_directory.load_keyring(data), data_directory.load_keyring(new)
    assert kept.keys == came.keys
    assert kept.newest.material not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_backup_without_the_sealing_key_inside_needs_its_file(crownkeep, shelf, tmp_path):
    (tmp_path / "words").write_text(PASSPHRASE)
    backed_up(crownkeep, shelf)

    ended = crownkeep("backup", "drill", str(shelf), "--passphrase-file", str(tmp_path / "words"))

    assert (1, "the sealing key is not inside this backup" in ended.err) == (ended.code, True)
    assert 2 == crownkeep("backup", "drill", str(shelf)).code


def test_a_short_passphrase_wraps_no_sealing_key(crownkeep, shelf, tmp_path):
    (tmp_path / "words").write_text("too short")

    ended = crownkeep("backup", "create", "--to", str(shelf), "--include-sealing-key", str(tmp_path / "words"))

    assert (1, "a passphrase has 20 characters or more" in ended.err) == (ended.code, True)


def test_a_backup_counts_the_records_that_wait_for_their_place_too(crownkeep, shelf, data, tmp_path):
    database, keyring = Database(f"sqlite:///{data / 'crownkeep.db'}"), data_directory.load_keyring(data)

    made = making.make(database, keyring, data, shelf, backup_id="0a1b2c3d", now=clock.now())

    database.close()
    back = restoring.restore(
        made.place,
        made.manifest,
        restoring.keys_of(made.manifest, key_file=(data / "sealing.key").read_bytes()),
        tmp_path / "new",
        database="",
        newest=None,
    )
    assert made.manifest.records == back.records > 0


def test_what_is_no_key_of_a_recipient_is_refused():
    identity = recipients.mint(bytes(recipients.ENTROPY))

    for text in ("", "x", identity.private.reveal(), identity.public[:-9], re.sub("/1", "/2", identity.public)):
        with pytest.raises(UnusableRecipient, match="this is no file of the kind"):
            recipients.wrap(text, bytes(32), kind=Wrapped.BACKUP_KEY, bound_to="0a1b2c3d")
    with pytest.raises(UnusableRecipient, match="this is no file of the kind"):
        recipients.unwrap(Secret(identity.public), bytes(32), kind=Wrapped.BACKUP_KEY, bound_to="0a1b2c3d")
