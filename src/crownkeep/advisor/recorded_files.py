"""Recorded events out of files: CloudTrail's log files, what LookupEvents answered, exports of our trail, and JSON lines."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from crownkeep.advisor import recorded
from crownkeep.advisor.recorded import RecordedEvent, UnreadableRecords

_SUFFIXES = (".json", ".jsonl", ".gz")
_MOST_BYTES = 1 << 30
"""What a compressed file may hold: CloudTrail's have some megabytes, and one that was made to fill the memory has no end."""


class _LogFile(msgspec.Struct):
    records: list[RecordedEvent] | None = msgspec.field(default=None, name="Records")
    events: list[_LookedUp] | None = msgspec.field(default=None, name="Events")


class _LookedUp(msgspec.Struct):
    record: str = msgspec.field(name="CloudTrailEvent")


class _RawLogFile(msgspec.Struct):
    records: list[msgspec.Raw] | None = msgspec.field(default=None, name="Records")
    events: list[_LookedUp] | None = msgspec.field(default=None, name="Events")


class _Exported(msgspec.Struct):
    """A line of `crownkeep trail export`: what says how the export was made has no record."""

    record: str | None = None


_log_file = msgspec.json.Decoder(_LogFile)
_raw_log_file = msgspec.json.Decoder(_RawLogFile)
_exported = msgspec.json.Decoder(_Exported)


def of(paths: Sequence[Path]) -> Iterator[RecordedEvent]:
    """Yield the events of files, and of all files below directories; raises UnreadableRecords."""
    for file in _every(paths):
        try:
            yield from _of_content(_content(file))
        except UnreadableRecords as error:
            raise UnreadableRecords(f"`{file}` holds {error}") from error


def _every(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(_files(path))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    # Digests of log files lie beside them, and hold no events.
    yield from (each for each in path.rglob("*") if each.suffix in _SUFFIXES and "CloudTrail-Digest" not in str(each))


def _content(file: Path) -> bytes:
    try:
        content = file.read_bytes()
        return _unpacked(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableRecords(f"nothing that can be read: {error}") from error


def _unpacked(content: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        unpacked = packed.read(_MOST_BYTES + 1)
    if len(unpacked) > _MOST_BYTES:
        raise UnreadableRecords(f"more than {_MOST_BYTES:,} bytes once it is unpacked")
    return unpacked


def _of_content(content: bytes) -> Iterator[RecordedEvent]:
    try:
        whole = _log_file.decode(content)
    except (ValueError, RecursionError):
        yield from (recorded.read(each) for each in _of_lines(content))
        return
    if whole.records is not None:
        yield from whole.records
    elif whole.events is not None:
        yield from (recorded.read(each.record) for each in whole.events)
    else:
        yield from (recorded.read(each) for each in _of_lines(content))


def _of_lines(content: bytes) -> Iterator[bytes | str]:
    for line in content.splitlines():
        if not line.strip():
            continue
        if b'"eventName"' in line and b'"leaf"' not in line:
            yield line
            continue
        try:
            exported = _exported.decode(line)
        except (ValueError, RecursionError) as error:
            raise UnreadableRecords(f"no record of CloudTrail: {error}") from error
        if exported.record is not None:
            yield exported.record
        elif b'"checkpoint"' not in line and b'"leaf"' not in line:
            raise UnreadableRecords("something that is no record of CloudTrail")


def contents(paths: Sequence[Path]) -> Iterator[bytes | str]:
    """Yield the same records, each as its JSON; raises UnreadableRecords."""
    for content in map(_content, _every(paths)):
        try:
            whole = _raw_log_file.decode(content)
        except (ValueError, RecursionError):
            yield from _of_lines(content)
            continue
        if whole.records is not None:
            yield from (bytes(each) for each in whole.records)
        elif whole.events is not None:
            yield from (each.record for each in whole.events)
        else:
            yield from _of_lines(content)
