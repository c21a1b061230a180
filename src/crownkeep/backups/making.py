"""Making a backup while servers run: every table in one snapshot, then the data directory's files, and a signed manifest."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from crownkeep import clock, data_directory, server_address
from crownkeep.alerts import channels
from crownkeep.audit import notes
from crownkeep.audit.notes import VerifierKey
from crownkeep.backups import manifest, passphrases, pieces, recipient_keys, targets
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.frames import FrameWriter
from crownkeep.backups.manifest import FORMAT, BackupPiece, Manifest
from crownkeep.credentials import recipients, sealing
from crownkeep.credentials.recipients import Wrapped
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.domain import trail_keys
from crownkeep.settings import FILE_NAME
from crownkeep.storage import copying, migrate
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import checkpoints, leaves, log_keys, sealed_files
from crownkeep.trail import publishing

_AT_ONCE = 64 << 10
LEFT_OUT = frozenset(
    {
        "crownkeep.db",
        "crownkeep.db-wal",
        "crownkeep.db-shm",
        data_directory.SEALING_KEY,
        data_directory.SPLIT_KEY,
        data_directory.PIN,
        data_directory.OPERATOR_TOKEN,
        data_directory.METRICS_TOKEN,
        server_address.FILE_NAME,
        channels.FOLDER,
    }
)
"""What lies in a data directory and is not copied as a file: the database's rows are copied, keys and tokens never, and mail in
files holds one-time links."""
SETTINGS = f"{FILE_NAME}.from-backup"
"""What the file of settings is called after a restore: it may name a database that is not the restored one."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, and where it is."""

    manifest: Manifest
    place: Path


@dataclass(frozen=True, slots=True)
class Sealed:
    """How a backup is sealed, and what of that its manifest says."""

    keyring: Keyring
    wrapped_key: bytes = b""
    wrapped_sealing_key: bytes = b""
    sealing_key_for: bytes = b""
    recipient: str = ""


def sealed_for(
    keyring: Keyring,
    backup_id: str,
    *,
    now: datetime,
    recipient: str = "",
    passphrase: Secret | None = None,
    sealing_key_for: str = "",
) -> Sealed:
    """Return how a backup is sealed: by the sealing key, for a recipient, or with the sealing key inside.

    The sealing key inside is wrapped by a passphrase, or for another recipient. Raises BackupFault for a passphrase and
    UnusableRecipient for a recipient that is none.
    """
    if recipient:
        own, wrapped = recipient_keys.make(keyring, recipient, backup_id=backup_id, now=now)
        return Sealed(own, wrapped, recipient=recipient)
    if not sealing_key_for and passphrase is None:
        return Sealed(keyring)
    key_file = sealing.write_key_file(keyring).reveal().encode()
    if passphrase is None:
        wrapped = recipients.wrap(sealing_key_for, key_file, kind=Wrapped.KEY_IN_BACKUP, bound_to=backup_id)
        return Sealed(keyring, sealing_key_for=wrapped)
    return Sealed(keyring, wrapped_sealing_key=passphrases.wrap(passphrase, key_file, backup_id=backup_id))


def make(
    database: Database,
    keyring: Keyring,
    data: Path,
    target: Path,
    *,
    backup_id: str,
    now: datetime,
    sealed: Sealed | None = None,
    known: Iterable[BackupPiece] = (),
) -> Made:
    """Make a backup in a target directory, where the known pieces are; what it needs of them is not written again.

    Raises BackupFault, NewerDatabase, OSError, Unsealable and what the database raises.
    """
    sealed = sealed or Sealed(keyring)
    # A backup beside the original is lost with it, and would be copied into the next one.
    if target.resolve().is_relative_to(data.resolve()):
        raise BackupFault("the target is inside the data directory, and would be lost with it: name another place")
    # A node of this version may serve a newer schema, but would leave out what it doesn't know.
    if not migrate.is_current(database):
        raise BackupFault("the database is of an older version: start the server once, which brings it up to date")
    trail_keys.prepare(database, keyring)
    name = targets.name_of(backup_id, now)
    with targets.begun(target, name) as staged:
        # Everything goes into a directory that is not named yet: `begun` names it once all is on the disk.
        writer = FrameWriter(sealed.keyring, backup_id, staged)
        try:
            # One snapshot for all tables, so that the backup is one moment, however long it takes.
            with database.snapshot() as db:
                months = sealed_files.directory_of(db) or data / pieces.SEALED
                kept = pieces.make(months, staged, keyring, recipient=sealed.recipient, now=now, known=known)
                found = _written(db, keyring, data, writer, kept, backup_id=backup_id, now=now)
                signer = trail_keys.signers(keyring, log_keys.every(db, log_keys.BACKUP), now=clock.now())[-1]
        finally:
            writer.abandon()
        whole = _with_parts(found, writer, sealed, vkey=signer.key.text)
        targets.write_manifest(staged, manifest.signed(whole, signer))
        # Before the backup has its name: whoever finds a manifest finds all that it names.
        pieces.place(staged, target)
    return Made(whole, target / name)


def signers(database: Database, keyring: Keyring) -> list[VerifierKey]:
    """Return the keys of which one has signed every backup of this installation."""
    trail_keys.prepare(database, keyring)
    with database.snapshot() as db:
        return [notes.read_key(row.vkey) for row in log_keys.every(db, log_keys.BACKUP)]


def _written(
    db: Transaction,
    keyring: Keyring,
    data: Path,
    writer: FrameWriter,
    kept: Sequence[BackupPiece],
    *,
    backup_id: str,
    now: datetime,
) -> Manifest:
    newest = checkpoints.newest(db)
    note = "" if newest is None else publishing.note(db, newest)
    # Records that wait for their place are in the backup too, and must be counted.
    step, records = migrate.newest(), leaves.count(db) + leaves.pending_count(db)
    head = {"backup_id": backup_id, "made_at": now.isoformat(), "schema_step": step, "checkpoint": note, "records": records}
    writer.add(["head", head])
    counts = {name: _write_table(db, name, writer) for name in copying.tables()}
    files = sum(_write_file(data, path, writer) for path in _files(data))
    writer.add(["end", {"rows": counts, "files": files, "pieces": pieces.ids(kept)}])
    writer.finish()
    return Manifest(
        format=FORMAT,
        backup_id=backup_id,
        made_at=now,
        version=version("crownkeep"),
        schema_step=step,
        database=db.engine.dialect.name,
        sealing_key_id=keyring.newest.id,
        records=records,
        checkpoint=note,
        rows=counts,
        files=files,
        parts=(),
        pieces=tuple(kept),
        vkey="",
    )


def _with_parts(found: Manifest, writer: FrameWriter, sealed: Sealed, *, vkey: str) -> Manifest:
    wrapped = {
        "wrapped_key": sealed.wrapped_key,
        "wrapped_sealing_key": sealed.wrapped_sealing_key,
        "sealing_key_for": sealed.sealing_key_for,
    }
    return msgspec.structs.replace(found, parts=tuple(writer.parts), vkey=vkey, **wrapped)


def _write_table(db: Transaction, name: str, writer: FrameWriter) -> int:
    writer.add(["table", name, copying.columns(name)])
    count = 0
    for rows in copying.rows(db, name):
        writer.add(["rows", rows])
        count += len(rows)
    return count


def _files(data: Path) -> Iterator[Path]:
    """Yield the files that are copied; what is hidden is being written, and links lead elsewhere."""
    for folder, folders, names in os.walk(data):
        inside = Path(folder)
        is_top = inside == data
        folders[:] = sorted(each for each in folders if not each.startswith(".") and not (is_top and each in LEFT_OUT))
        hidden = (".",) if is_top else ()
        is_of_months = inside == data / pieces.SEALED
        for name in sorted(names):
            if is_of_months and pieces.is_month(name):
                continue  # It is a piece.
            if not name.startswith(hidden) and not (is_top and name in LEFT_OUT):
                yield inside / name


def _write_file(data: Path, path: Path, writer: FrameWriter) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if path.is_symlink() or not path.exists():
            return 0  # A link, or a file that was put away meanwhile.
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return 0
        relative = path.relative_to(data).as_posix()
        writer.add(["file", SETTINGS if relative == FILE_NAME else relative])
        while content := file.read(_AT_ONCE):
            writer.add(["bytes", content])
    return 1
