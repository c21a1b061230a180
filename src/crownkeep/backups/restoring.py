"""Restoring a backup into a new data directory: nothing is in its place before the trail has proved that all of it came back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from crownkeep import clock, data_directory, durable_files
from crownkeep.audit import checkpoints, notes
from crownkeep.audit.notes import Note
from crownkeep.backups import frames, passphrases, pieces, recipient_keys
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.manifest import Manifest
from crownkeep.credentials import recipients, sealing
from crownkeep.credentials.recipients import Wrapped
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.domain.accounts import key_check
from crownkeep.storage import copying, migrate
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import sealed_files
from crownkeep.trail import verifying
from crownkeep.trail.verifying import TrailReport
from crownkeep.wrapping import key_files, pins
from crownkeep.wrapping.faults import UnusableKeyHolder

ENDED = frozenset({"browser_sessions", "one_time_links"})
"""Tables that are not brought back: a session or a link that was used up since would work again."""


@dataclass(slots=True)
class Restored:
    """What came back."""

    manifest: Manifest
    records: int = 0
    """Records of the trail, those that wait for their place in the tree among them."""
    rows: int = 0
    files: int = 0
    missing: int | None = None
    """How many records are known to have followed, by a checkpoint from elsewhere; None where none was given."""
    newest_at: datetime | None = None
    not_seen: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BackupKeys:
    """What opens a backup: the file of sealing keys for what is in it, a keyring for its frames, and an identity for pieces."""

    key_file: bytes
    keyring: Keyring
    frames: Keyring
    identity: Secret | None = None


def keys_of(
    found: Manifest, *, key_file: bytes | None = None, passphrase: Secret | None = None, identity: Secret | None = None
) -> BackupKeys:
    """Return what opens a backup, from what its keeper has: the sealing key's file, a passphrase or an identity.

    Raises BackupFault where something is missing or another's, and UnusableRecipient where the identity is.
    """
    if key_file is None:
        key_file = _key_file_inside(found, passphrase, identity)
    key_file = _unwrapped(key_file)
    keyring = sealing.read_key_file(key_file.decode())
    opened = recipient_keys.open_(keyring, found.wrapped_key, identity, backup_id=found.backup_id, made=found.made_at)
    return BackupKeys(key_file, keyring, opened, identity)


def _unwrapped(key_file: bytes) -> bytes:
    """Return the key file itself, where it was wrapped by a token or a service: they are asked."""
    try:
        held = key_files.read(key_file.decode())
        return key_file if held is None else held.open(pins.handed_in).encode()
    except UnusableKeyHolder as error:
        raise BackupFault(f"the key file can't be opened: {error}") from error


def _key_file_inside(found: Manifest, passphrase: Secret | None, identity: Secret | None) -> bytes:
    if passphrase is not None and found.wrapped_sealing_key:
        return passphrases.unwrap(passphrase, found.wrapped_sealing_key, backup_id=found.backup_id)
    if identity is not None and found.sealing_key_for:
        return recipients.unwrap(identity, found.sealing_key_for, kind=Wrapped.KEY_IN_BACKUP, bound_to=found.backup_id)
    raise BackupFault("the sealing key is not inside this backup, or not for what was given: give the key's file")


def restore(folder: Path, found: Manifest, keys: BackupKeys, new: Path, *, database: str, newest: Note | None) -> Restored:
    """Restore a backup into a new data directory, and an empty database where one is named; raises BackupFault and OSError."""
    # Nothing is ever written over: a restore in the wrong place must not destroy what is there.
    if new.exists() and (not new.is_dir() or any(new.iterdir())):
        raise BackupFault(f"`{new}` is there already, and nothing is written over: name a new directory")
    # Beside its place, and renamed at the very end: a directory with that name has been proved.
    with _staged(new) as staged:
        durable_files.write_new(staged / data_directory.SEALING_KEY, keys.key_file)
        held = Database(database or f"sqlite:///{staged / 'crownkeep.db'}")
        try:
            if not copying.is_empty(held):
                raise BackupFault("the database is not empty, and nothing is written over: name a new one")
            answer = _loaded(held, folder, found, keys, staged)
            migrate.upgrade(held)
            # The key file must open what came back: better to fail now than at the first sign-in.
            key_check.require(held, keys.keyring)
            if (staged / pieces.SEALED).is_dir():
                sealed_files.keep_in(held, staged / pieces.SEALED)
            with held.snapshot() as db:
                _prove(db, found, answer, newest)
        finally:
            held.close()
        staged.rename(new)
    return answer


@contextmanager
def _staged(new: Path) -> Iterator[Path]:
    """Make a directory beside the new one, which takes its place at the end of the block."""
    new.parent.mkdir(parents=True, exist_ok=True)
    staged = new.with_name(f".{new.name}.restoring-{clock.id_bytes(4).hex()}")
    staged.mkdir(mode=0o700)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _loaded(database: Database, folder: Path, found: Manifest, keys: BackupKeys, staged: Path) -> Restored:
    migrate.upgrade_to(database, found.schema_step)
    stream = frames.messages(keys.frames, found.backup_id, folder, found.parts)
    kind, head = next(stream)
    # What is sealed is believed; the manifest is only signed, by a key that it may have brought along.
    if kind != "head" or (head["schema_step"], head["checkpoint"]) != (found.schema_step, found.checkpoint):
        raise BackupFault("the manifest says something else than what was sealed: it was changed")
    with database.transaction() as db:
        loading = _Loading(db, staged, Restored(found))
        answer = loading.run(stream)
        copying.finish(db)
    for piece in found.pieces:
        opened = recipient_keys.open_(keys.keyring, piece.wrapped_key, keys.identity, backup_id=piece.id, made=found.made_at)
        loading.add_file(pieces.messages(folder.parent, piece, opened))
    return answer


class _Loading:
    """Puts what the stream brings into tables and files."""

    def __init__(self, db: Transaction, staged: Path, answer: Restored) -> None:
        self._db = db
        self._staged = staged
        self._report = answer
        self._table: tuple[str, list[str]] = ("", [])
        self._counts: dict[str, int] = {}
        self._file: BinaryIO | None = None

    def run(self, stream: Iterator[list[Any]]) -> Restored:
        """Read to the end, and hold what came against what was counted when the backup was made."""
        end: dict[str, Any] = {}
        for kind, *values in stream:
            if kind != "bytes" and self._file is not None:
                self._file.close()
                self._file = None
            match kind:
                case "table":
                    self._table = (values[0], values[1])
                    copying.clear(self._db, values[0])
                    self._counts[values[0]] = 0
                case "rows":
                    self._add(values[0])
                case "file":
                    self._file = self._begun(values[0])
                case "bytes" if self._file is not None:
                    self._file.write(values[0])
                case "end":
                    end = values[0]
        # Backups of before there were pieces do not say that they have none.
        named = end.pop("pieces", [])
        if end != {"rows": self._counts, "files": self._report.files} or named != pieces.ids(self._report.manifest.pieces):
            raise BackupFault("not everything came back that was counted when the backup was made")
        return self._report

    def add_file(self, stream: Iterator[list[Any]]) -> None:
        """Write the file that a piece is."""
        [_, name] = next(stream)
        with self._begun(name) as file:
            for _, content in stream:
                file.write(content)

    def _add(self, rows: Sequence[Sequence[Any]]) -> None:
        name, columns = self._table
        self._counts[name] += len(rows)
        if name not in ENDED:
            copying.add(self._db, name, columns, rows)
            self._report.rows += len(rows)

    def _begun(self, name: str) -> BinaryIO:
        path = PurePosixPath(name)
        # Sealed by us, and still: a name must not lead out of the directory.
        if path.is_absolute() or ".." in path.parts:
            raise BackupFault("a file of the backup has a name that leads elsewhere")
        place = self._staged / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._report.files += 1
        return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")


def _prove(db: Transaction, found: Manifest, answer: Restored, newest: Note | None) -> None:
    """Verify the whole trail that came back against the checkpoint that was sealed with it; raises BackupFault."""
    report = prove(db, [notes.read(found.checkpoint)] if found.checkpoint else [])
    answer.records, answer.newest_at, answer.not_seen = report.size + report.waiting, report.newest_at, report.not_seen
    if newest is None:
        return
    seen = TrailReport()
    # A wrong signature, or one of nobody's that we know, is a finding.
    [head] = verifying.old_heads(seen, verifying.own_policy(db), [newest])
    if seen.findings.count:
        raise BackupFault(f"the checkpoint can't be held against this trail: {seen.findings.first[0].text}")
    answer.missing = max(0, head.size - answer.records)


def prove(db: Transaction, olds: Sequence[Note]) -> TrailReport:
    """Verify a trail that was copied from elsewhere, with checkpoints from there; raises BackupFault for the first finding."""
    report = verifying.verify(db, policy=None, olds=olds, progress=lambda _: None)
    if not report.is_as_it_was:
        raise BackupFault(f"the trail is not as it was: {report.findings.first[0].text}")
    for note in olds:
        if checkpoints.read(note).size > report.size:
            raise BackupFault("the trail is shorter than its checkpoint")
    return report
