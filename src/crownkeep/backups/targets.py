"""Where backups are kept: a directory with one folder for each, which has its name only once it is whole and on the disk.

TARGET/2026-11-30T02-15-00Z-1a2b3c4d/   0700   manifest, part-00001, part-00002 ...   0600
TARGET/months/                         0700   the files of sealed months, which backups share
TARGET/.partial-...                            one that is being made, or that nobody finished
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from crownkeep import durable_files
from crownkeep.audit.notes import VerifierKey
from crownkeep.backups import frames, manifest, pieces
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.manifest import BackupPiece, Manifest, UnsoundManifest

MANIFEST = "manifest"
_PARTIAL = ".partial-"
LARGEST_MANIFEST = 1 << 20
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-([0-9a-f]{8})")


def name_of(backup_id: str, made_at: datetime) -> str:
    """Return what a backup's folder is called; names sort by time."""
    return f"{made_at:%Y-%m-%dT%H-%M-%SZ}-{backup_id}"


def is_name(text: str) -> bool:
    """Tell whether a folder is called as backups are."""
    return _NAME.fullmatch(text) is not None


@contextmanager
def begun(target: Path, name: str) -> Iterator[Path]:
    """Make the folder of a new backup, which takes its name in the end; where anything fails, nothing of it stays.

    What others left unfinished, and nobody is writing any more, is removed. Raises OSError and BackupFault.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(target)
    staged, place = target / f"{_PARTIAL}{name}", target / name
    if place.exists():
        raise BackupFault(f"`{place}` is there already, and nothing is written over")
    staged.mkdir(mode=0o700)
    descriptor = os.open(staged, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield staged
        os.fsync(descriptor)
        staged.rename(place)
        durable_files.sync_directory(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def write_manifest(staged: Path, content: bytes) -> None:
    """Write a manifest durably, as the last of a backup's files."""
    durable_files.write_new(staged / MANIFEST, content)


def folders(target: Path) -> list[Path]:
    """Return the folders of the backups in a target, the oldest first; a backup's own folder stands for itself."""
    if not target.is_dir():
        raise BackupFault(f"there is no directory `{target}`")
    if (target / MANIFEST).is_file():
        return [target]
    return sorted(each for each in target.iterdir() if _NAME.fullmatch(each.name) and each.is_dir())


def read_manifest(folder: Path, keys: Sequence[VerifierKey] = ()) -> tuple[Manifest, VerifierKey]:
    """Return a backup's manifest and who has signed it; raises UnsoundManifest."""
    try:
        with frames.opened(folder / MANIFEST) as file:
            content = file.read(LARGEST_MANIFEST)
    except OSError as error:
        raise UnsoundManifest(f"the manifest can't be read: {error.strerror}") from error
    found, signer = manifest.read(content, keys)
    named = _NAME.fullmatch(folder.name)
    if named is not None and named[1] != found.backup_id:
        raise UnsoundManifest("the manifest is another backup's")
    return found, signer


def faults(folder: Path, found: Manifest) -> list[str]:
    """Return what of a backup is not as its manifest says, by the hashes of its sealed parts."""
    wrong = []
    for part in found.parts:
        try:
            if frames.digest(folder / part.name, most=part.size) != (part.size, part.sha256):
                wrong.append(f"`{part.name}` is not what was written")
        except OSError as error:
            wrong.append(f"`{part.name}` can't be read: {error.strerror}")
    return wrong + pieces.faults(folder.parent, found.pieces)


def newest_pieces(target: Path, keys: Sequence[VerifierKey]) -> list[BackupPiece]:
    """Return the pieces that the next backup in a target need not write again: those of the newest one of ours, where whole."""
    if not target.is_dir():
        return []
    for folder in reversed(folders(target)):
        with suppress(UnsoundManifest):
            return pieces.whole(target, read_manifest(folder, keys)[0].pieces)
    return []


def _sweep(target: Path) -> None:
    for left in target.glob(f"{_PARTIAL}*"):
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue  # It is being written.
        finally:
            os.close(descriptor)
