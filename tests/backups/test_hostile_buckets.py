"""Whatever is in the place of a bucket's server, or of a backup's part, ends in our own error, and nothing false is restored."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credentials.hostile import edited, json_values
from tests.fixtures.raw_servers import HEADERS, STATUS_LINES, Raw

from crownkeep import bounded_clients
from crownkeep.backups import frames, s3
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.frames import FrameWriter
from crownkeep.backups.manifest import BackupPart
from crownkeep.backups.s3 import BackupBucket
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose

NAME = "2026-11-30T02-15-00Z-1a2b3c4d"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEYRING = Keyring([sealing.mint_key(bytes(32), made=NOW.date())])
BACKUP = "1a2b3c4d"
LISTED = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated>
<NextContinuationToken>x</NextContinuationToken><CommonPrefixes><Prefix>2026-11-30T02-15-00Z-1a2b3c4d/</Prefix></CommonPrefixes>
<Contents><Key>months/a</Key><Size>12</Size><LastModified>2026-11-30T00:00:00Z</LastModified></Contents></ListBucketResult>"""
BODIES = st.one_of(
    st.sampled_from(
        [
            b"",
            b"\xff" * 40,
            b"<a>" * 3_000,
            b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 90 + b'"><!ENTITY d "&b;&b;&b;&b;">]><ListBucketResult>&d;</ListBucketResult>',
            b"<ListBucketResult><CommonPrefixes/><Contents/></ListBucketResult>",
            LISTED.replace(b"2026-11-30T02-15-00Z-1a2b3c4d/", b"../../x/"),
            LISTED.replace(b">12<", b">" + b"9" * 5_000 + b"<"),
            LISTED.replace(b"2026-11-30T00:00:00Z", b"0001-01-01T00:00:00+99:99"),
            b"<Error><Code>\x1b[2J</Code><Message>" + b"m" * 9_000 + b"</Message></Error>",
            b"<Error><Code>SlowDown</Code></Error>",
        ]
    ),
    edited(LISTED),
)


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    """A server in a bucket's place; the SDK rests between its attempts for no time."""
    server = Raw()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patched.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield server
    server.stop()


@pytest.fixture(scope="module")
def bucket(raw: Raw) -> BackupBucket:
    """Its bucket: a client takes a while to be made."""
    return BackupBucket("s3://backups", raw.url)


def told(work: Callable[[], object]) -> str:
    """Return what is told where something fails as it may."""
    try:
        work()
    except BackupFault as fault:
        return str(fault)
    return ""


@settings(max_examples=settings.default.max_examples // 4)
@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_a_bucket_is_told_in_one_line(
    raw: Raw,
    bucket: BackupBucket,
    tmp_path_factory: pytest.TempPathFactory,
    status: bytes,
    headers: list[bytes],
    body: bytes,
):
    raw.answer = b"\r\n".join([status, *headers, b"", body])
    place = tmp_path_factory.mktemp("place")

    said = [told(lambda: bucket.fetch_manifests(place)), told(lambda: bucket.newest_pieces(place / "x", []))]

    assert all(len(each) < 600 and each.isprintable() for each in said)
    assert {NAME} >= {each.relative_to(place).parts[-2] for each in place.rglob("*") if each.is_file()}


def test_a_bucket_that_answers_without_end_is_read_to_a_bound(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bounded_clients, "LARGEST", 10_000)
    monkeypatch.setattr(raw, "answer", b"HTTP/1.1 200 OK\r\n\r\n" + LISTED + b" " * 200_000)

    assert "an answer has more than 10000 bytes" in told(lambda: BackupBucket("s3://b-b", raw.url).fetch_manifests(tmp_path))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_bucket_that_answers_byte_by_byte_is_given_up(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes):
    monkeypatch.setattr(s3, "_SECONDS", 0.3)
    monkeypatch.setattr(raw, "answer", answer)
    monkeypatch.setattr(raw, "drips", b"X: y\r\n")
    began = time.monotonic()

    said = told(lambda: BackupBucket("s3://backups", raw.url).fetch_manifests(tmp_path))

    assert "UnboundedAnswer" in said or "in time" in said or "too slowly" in said
    assert time.monotonic() - began < 5


def test_a_list_of_a_bucket_that_never_ends_is_given_up(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(s3, "_MOST_PAGES", 5)
    before = raw.connections

    def answer(count: int) -> bytes:
        # Another token each time, or the SDK itself would notice.
        return b"HTTP/1.1 200 OK\r\n\r\n" + LISTED.replace(b">x</Next", b">%d</Next" % count).replace(b"1a2b3c4d/", b"x/")

    monkeypatch.setattr(raw, "answer", answer)

    assert "lists more than 5 pages" in told(lambda: BackupBucket("s3://backups", raw.url).fetch_manifests(tmp_path))
    assert raw.connections - before <= 6


# What is in the parts.


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[BackupPart], list[list[object]]]:
    """A backup of several frames in two parts, and what was put into it."""
    folder = tmp_path_factory.mktemp("backup")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "_FRAME", 60)
        patched.setattr(frames, "_PART", 400)
        writer = FrameWriter(KEYRING, BACKUP, folder)
        put: list[list[object]] = [["rows", [[number, "x" * number]]] for number in range(40)]
        for each in put:
            writer.add(each)
        writer.finish()
    return folder, writer.parts, put


@given(data=st.data())
def test_parts_that_were_changed_yield_what_was_written_and_then_a_fault(
    written: tuple[Path, list[BackupPart], list[list[object]]], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder, parts, put = written
    place = tmp_path_factory.mktemp("changed")
    contents = [(folder / part.name).read_bytes() for part in parts]
    order = data.draw(st.one_of(st.just([*range(len(parts))]), st.lists(st.sampled_from(range(len(parts))), max_size=4)))
    which = data.draw(st.sampled_from(range(len(parts))))
    for number, source in enumerate(order):
        content = data.draw(edited(contents[source])) if source == which else contents[source]
        (place / f"part-{number + 1:05}").write_bytes(content)
    named = [BackupPart(f"part-{number + 1:05}", 0, "") for number in range(len(order))]
    found: list[list[object]] = []

    fault = told(lambda: found.extend(frames.messages(KEYRING, BACKUP, place, named)))
    came = [*frames_before(place, named)]

    assert bool(fault) or found == put
    assert came == put[: len(came)]


def frames_before(place: Path, named: list[BackupPart]) -> Iterator[list[object]]:
    """Yield what comes before a fault."""
    stream = frames.messages(KEYRING, BACKUP, place, named)
    while True:
        try:
            yield next(stream)
        except (BackupFault, StopIteration):
            return


PACKED = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=40).map(zlib.compress),
    st.lists(st.one_of(json_values, st.binary(max_size=9)), max_size=3).map(
        lambda each: zlib.compress(len(msgpack(each)).to_bytes(4, "big") + msgpack(each))
    ),
    edited(zlib.compress((30).to_bytes(4, "big") + msgspec.msgpack.encode(["rows", [[1, "x" * 20]]]))),
)


def msgpack(value: object) -> bytes:
    """Return a message, or one that is none where it can't be."""
    try:
        return msgspec.msgpack.encode(value)
    except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError, RecursionError):
        return b"\xc1"


@given(packed=PACKED)
def test_a_frame_that_holds_no_messages_is_a_fault_even_where_the_key_has_sealed_it(
    tmp_path_factory: pytest.TempPathFactory, packed: bytes
):
    place = tmp_path_factory.mktemp("sealed")
    context = sealing.context_of("backup", BACKUP, "0", "last")
    blob = sealing.seal(KEYRING, packed, purpose=Purpose.BACKUP, context=context, nonce=bytes(sealing.NONCE_SIZE))
    (place / "part-00001").write_bytes(len(blob).to_bytes(4, "big") + blob)

    told(lambda: [*frames.messages(KEYRING, BACKUP, place, [BackupPart("part-00001", len(blob) + 4, "")])])
