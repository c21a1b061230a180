"""Pieces of backups: the files of sealed months, which no longer change, each kept once for all backups of a target.

TARGET/months/2026-10.jsonl.gz-1a2b3c4d/   part-00001 ...

A piece is sealed like a backup, under an id of its own, and named by the manifest of every backup that it belongs to. Whether a
file is there already is told by a keyed mark of its content, so that nobody who sees a target can guess at what is in it. The
content is read only where the file's size, times or inode are others than when the mark was made. After a rotation of the sealing
key, or for another recipient, pieces are made anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from crownkeep import clock, durable_files
from crownkeep.backups import frames, recipient_keys
from crownkeep.backups.frames import FrameWriter
from crownkeep.backups.manifest import BackupPiece
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose

FOLDER = "months"
"""Where pieces are in a target."""
SEALED = "sealed"
"""Where the files of sealed months come back to in a data directory, wherever they were."""
_AT_ONCE = 1 << 20
_MONTH = re.compile(r"\d{4}-\d\d\.(?:jsonl\.gz|index)")
_SETTLED = timedelta(seconds=2)
"""How old a change must be before a file is known by its times: two writes in one tick of a file system have the same."""


def make(
    months: Path, staged: Path, keyring: Keyring, *, recipient: str, now: datetime, known: Iterable[BackupPiece]
) -> list[BackupPiece]:
    """Return the pieces for all files of sealed months in a directory; what is not known yet is written below a staged backup."""
    held = list(known)
    by_mark, by_stamp = {piece.mark: piece for piece in held}, {piece.stamp: piece for piece in held if piece.stamp}
    made = []
    for path in _files(months):
        with path.open("rb") as file:
            # Taken before the content is read: of what is written meanwhile, the next backup finds another stamp.
            stamp = _stamp(keyring, recipient, path.name, os.fstat(file.fileno()), now=now)
            piece = by_stamp.get(stamp)
            if piece is None:
                mark = _mark(keyring, recipient, path.name, hashlib.file_digest(file, "sha256").digest())
                file.seek(0)
                piece = by_mark.get(mark) or _write(file, path.name, mark, staged, keyring, recipient=recipient, now=now)
                piece = msgspec.structs.replace(piece, stamp=stamp)
        made.append(piece)
    return made


def place(staged: Path, target: Path) -> None:
    """Put the pieces that were written for a staged backup where all backups of the target find them, durably."""
    if not (staged / FOLDER).is_dir():
        return
    kept = target / FOLDER
    kept.mkdir(mode=0o700, exist_ok=True)
    for each in sorted((staged / FOLDER).iterdir()):
        durable_files.sync_directory(each)
        each.rename(kept / each.name)
    (staged / FOLDER).rmdir()
    durable_files.sync_directory(kept)
    durable_files.sync_directory(target)


def whole(target: Path, found: Iterable[BackupPiece]) -> list[BackupPiece]:
    """Return those pieces whose parts are in a target with the sizes that they should have; `verify` reads what is in them."""

    def is_whole(piece: BackupPiece) -> bool:
        try:
            return all((target / FOLDER / piece.folder / part.name).stat().st_size == part.size for part in piece.parts)
        except OSError:
            return False

    return [piece for piece in found if is_whole(piece)]


def faults(target: Path, found: Iterable[BackupPiece]) -> list[str]:
    """Return what of pieces is not as a manifest says, by the hashes of their sealed parts."""
    wrong = []
    for piece in found:
        for part in piece.parts:
            name = f"{FOLDER}/{piece.folder}/{part.name}"
            try:
                if frames.digest(target / name, most=part.size) != (part.size, part.sha256):
                    wrong.append(f"`{name}` is not what was written")
            except OSError as error:
                wrong.append(f"`{name}` can't be read: {error.strerror}")
    return wrong


def messages(target: Path, piece: BackupPiece, keyring: Keyring) -> Iterator[list[object]]:
    """Yield what a piece holds, a file; raises BackupFault where it is not what was written."""
    yield ["file", f"{SEALED}/{piece.name}"]
    yield from frames.messages(keyring, piece.id, target / FOLDER / piece.folder, piece.parts)


def ids(found: Sequence[BackupPiece]) -> list[str]:
    """Return what a backup's own frames say of its pieces, so that no manifest can name others."""
    return [piece.folder for piece in found]


def is_month(name: str) -> bool:
    """Tell whether a file is called as those of sealed months are."""
    return _MONTH.fullmatch(name) is not None


def _files(months: Path) -> Iterator[Path]:
    for path in sorted(months.iterdir()) if months.is_dir() else ():
        if is_month(path.name) and stat.S_ISREG(path.lstat().st_mode):
            yield path


def _mark(keyring: Keyring, recipient: str, name: str, content: bytes) -> str:
    return _keyed(keyring, b"piece of a backup", recipient, name, content)


def _stamp(keyring: Keyring, recipient: str, name: str, found: os.stat_result, *, now: datetime) -> str:
    """Return what tells that a file is still the one that it was, empty where it is too new to tell."""
    # The inode's own time can't be set back as the content's can: who changes a file in place is noticed.
    if max(found.st_mtime, found.st_ctime) > (now - _SETTLED).timestamp():
        return ""
    numbers = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    return _keyed(keyring, b"file of a piece", recipient, name, " ".join(map(str, numbers)).encode())


def _keyed(keyring: Keyring, kind: bytes, recipient: str, name: str, content: bytes) -> str:
    message = b"\0".join((kind, recipient.strip().encode(), name.encode(), content))
    return sealing.fingerprint(keyring, message, purpose=Purpose.BACKUP).hex()


def _write(file: BinaryIO, name: str, mark: str, staged: Path, keyring: Keyring, *, recipient: str, now: datetime) -> BackupPiece:
    piece_id = clock.token_bytes(4).hex()
    own, wrapped = recipient_keys.make(keyring, recipient, backup_id=piece_id, now=now)
    empty = BackupPiece(id=piece_id, name=name, mark=mark, parts=(), wrapped_key=wrapped)
    folder = staged / FOLDER / empty.folder
    os.makedirs(folder, mode=0o700)
    writer = FrameWriter(own, piece_id, folder)
    try:
        while content := file.read(_AT_ONCE):
            writer.add(["bytes", content])
        writer.finish()
    finally:
        writer.abandon()
    return BackupPiece(id=piece_id, name=name, mark=mark, parts=tuple(writer.parts), wrapped_key=wrapped)
