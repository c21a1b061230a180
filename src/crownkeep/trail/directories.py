"""A bucket in a directory: one file an object, named by its key, with its metadata in a hidden file beside it.

Whoever asks for an object names a file on this machine. So keys are taken apart and checked, no symbolic link is followed below
the bucket's own directory, and what is hidden or no regular file is not there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from crownkeep import clock, untrusted_json
from crownkeep.untrusted_json import UnreadableJson

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest object that is read; log files stay far below."""
_LONGEST_SEGMENT = 230
_AFTER_ALL = "\U0010ffff"


class BucketRefused(Exception):
    """A bucket does not take a file; the message begins with S3's code for it, and is shown to whoever has the trail."""


class TooLarge(Exception):
    """An object is larger than any that is delivered here."""


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """An object as a listing shows it."""

    key: str
    size: int
    modified_at: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class ObjectContents:
    """An object with its contents."""

    listed: ObjectSummary
    body: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)


class DirectoryBucket:
    """The objects below one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Keep an object durably, whole or not at all; raises BucketRefused."""
        segments = _segments(key)
        if segments is None:
            raise BucketRefused("InvalidRequest: the key is no path of a file")
        folder = self._root.joinpath(*segments[:-1])
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if metadata:
                _write(folder, _beside(segments[-1]), msgspec.json.encode(dict(metadata)))
            _write(folder, segments[-1], body)
        except OSError as error:
            raise BucketRefused(f"InternalError: the directory can't be written to ({error.strerror})") from error

    def get(self, key: str) -> ObjectContents | None:
        """Return an object, None where there is none of this key; raises TooLarge."""
        segments = _segments(key)
        found = None if segments is None else self._read(segments)
        if segments is None or found is None:
            return None
        body, status = found
        beside = self._read([*segments[:-1], _beside(segments[-1])])
        metadata: dict[str, str] = {}
        if beside is not None:
            with suppress(UnreadableJson):
                metadata = untrusted_json.read_as(beside[0], dict[str, str])
        return ObjectContents(_listed(key, status), body, metadata)

    def objects(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectSummary]:
        """Yield the objects whose keys begin with `prefix` and come after `after`, in the order of their keys."""
        return _walk(self._root, "", prefix, after)

    def _read(self, segments: list[str]) -> tuple[bytes, os.stat_result] | None:
        with ExitStack() as opened:
            try:
                place = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, place)
                for each in segments[:-1]:
                    place = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
                    opened.callback(os.close, place)
                # A pipe with nobody at its other end would hold us up for ever.
                file = os.open(segments[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
            except (OSError, UnicodeError):
                return None
            opened.callback(os.close, file)
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return None
            if status.st_size > LARGEST:
                raise TooLarge
            with os.fdopen(file, "rb", closefd=False) as stream:
                return stream.read(LARGEST), status


def _segments(key: str) -> list[str] | None:
    """Return the parts of a key as names of files, None where one of them could lead elsewhere, or is hidden."""
    parts = key.split("/")
    if any(not part or part.startswith(".") or "\0" in part or len(part.encode()) > _LONGEST_SEGMENT for part in parts):
        return None
    return parts


def _beside(name: str) -> str:
    return f".{name}.metadata"


def _write(folder: Path, name: str, body: bytes) -> None:
    temporary = folder / f".{name}.{clock.id_bytes(4).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _listed(key: str, status: os.stat_result) -> ObjectSummary:
    modified_at = datetime.fromtimestamp(int(status.st_mtime), UTC)
    return ObjectSummary(key, status.st_size, modified_at, f'"{status.st_mtime_ns:x}-{status.st_size:x}"')


def _walk(folder: Path, above: str, prefix: str, after: str) -> Iterator[ObjectSummary]:
    try:
        entries = [each for each in os.scandir(folder) if _is_shown(each)]
    except OSError:
        return
    # A directory's objects come where its name with a slash behind it comes.
    named = sorted((each.name + ("/" if each.is_dir(follow_symlinks=False) else ""), each) for each in entries)
    for name, entry in named:
        key = above + name
        if name.endswith("/"):
            may_begin = key.startswith(prefix) or prefix.startswith(key)
            if may_begin and not (key + _AFTER_ALL < after):
                yield from _walk(Path(entry.path), key, prefix, after)
        elif key > after and key.startswith(prefix):
            with suppress(FileNotFoundError):
                yield _listed(key, entry.stat(follow_symlinks=False))


def _is_shown(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not entry.name.isprintable():
        return False
    return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
