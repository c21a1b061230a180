"""The sealed stream of a backup: messages, packed into frames, in files of some tens of megabytes.

    part-00001   length (4 bytes) | sealed frame | length | sealed frame ...
    frame        zlib of: length (4 bytes) | message (msgpack) ...

A frame is sealed with the newest sealing key's subkey for backups, bound to the backup's id, to its own number and to whether it
is the last: frames of another backup, in another order or with the end cut off don't open.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from crownkeep import clock
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.manifest import BackupPart
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable

_FRAME = 256 << 10
_PART = 64 << 20
_LARGEST = 64 << 20
_LENGTH = 4
_AT_ONCE = 1 << 20
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Any])


class FrameWriter:
    """Writes messages into the parts of one backup, below a folder of its own; memory holds a frame at most."""

    def __init__(self, keyring: Keyring, backup_id: str, folder: Path) -> None:
        self._keyring = keyring
        self._backup_id = backup_id
        self._folder = folder
        self._waiting = bytearray()
        self._frames = 0
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self.parts: list[BackupPart] = []

    def add(self, message: Sequence[object]) -> None:
        """Put a message, with its length before it, into the present frame; a frame that is full is written."""
        content = _encoder.encode(message)
        self._waiting += len(content).to_bytes(_LENGTH, "big") + content
        # Frames of about this size: small enough for memory, large enough that compression and sealing cost little.
        if len(self._waiting) >= _FRAME:
            self._write(is_last=False)

    def finish(self) -> None:
        """Write the last frame; nothing can be added to it."""
        self._write(is_last=True)
        self._end_part()

    def abandon(self) -> None:
        """Close what is open, of a backup that comes to nothing."""
        if self._file is not None:
            self._file.close()

    def _write(self, *, is_last: bool) -> None:
        packed = zlib.compress(bytes(self._waiting), level=1)
        # The number of the frame, from the start of the backup: frames can't be exchanged, left out or repeated.
        context = _context(self._backup_id, self._frames, is_last=is_last)
        nonce = clock.token_bytes(sealing.NONCE_SIZE)
        blob = sealing.seal(self._keyring, packed, purpose=Purpose.BACKUP, context=context, nonce=nonce)
        content = len(blob).to_bytes(_LENGTH, "big") + blob
        file = self._part()
        file.write(content)
        self._hash.update(content)
        self._size += len(content)
        self._frames += 1
        self._waiting.clear()
        if self._size >= _PART:
            self._end_part()

    @property
    def _name(self) -> str:
        return f"part-{len(self.parts) + 1:05}"

    def _part(self) -> BinaryIO:
        if self._file is None:
            descriptor = os.open(
                self._folder / self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            self._file = os.fdopen(descriptor, "wb")
        return self._file

    def _end_part(self) -> None:
        if self._file is None:
            return
        self._file.flush()
        # On the disk before the manifest names it: a manifest never speaks of what a crash has taken.
        os.fsync(self._file.fileno())
        self._file.close()
        self.parts.append(BackupPart(self._name, self._size, self._hash.hexdigest()))
        self._file, self._hash, self._size = None, hashlib.sha256(), 0


def messages(keyring: Keyring, backup_id: str, folder: Path, parts: Sequence[BackupPart]) -> Iterator[list[Any]]:
    """Yield the messages of a backup; raises BackupFault where a key is missing, or anything is not as it was written."""
    is_over = False
    for number, blob in enumerate(_blobs(folder, parts)):
        # The end is sealed into its frame, so it can't be moved; whatever follows is of another backup.
        if is_over:
            raise BackupFault("there is something behind the end of the backup: it was put together of several")
        packed, is_over = _opened(keyring, backup_id, number, blob)
        yield from _messages(packed)
    if not is_over:
        raise BackupFault("the end of the backup is missing")


def _blobs(folder: Path, parts: Sequence[BackupPart]) -> Iterator[bytes]:
    for part in parts:
        with opened(folder / part.name) as file:
            while head := file.read(_LENGTH):
                size = int.from_bytes(head, "big")
                # Lengths are read before anything is verified: a made-up one must not ask for gigabytes.
                blob = file.read(size) if size <= _LARGEST else b""
                if len(blob) != size:
                    raise BackupFault(f"`{part.name}` is cut off or damaged")
                yield blob


def _opened(keyring: Keyring, backup_id: str, number: int, blob: bytes) -> tuple[bytes, bool]:
    # Whether it is the last frame is only in the seal: it is found by trying both.
    for is_last in (False, True):
        try:
            context = _context(backup_id, number, is_last=is_last)
            return sealing.unseal(keyring, blob, purpose=Purpose.BACKUP, context=context), is_last
        except Unsealable:
            continue
    raise BackupFault("the sealing key does not open the backup: it was sealed with another, or changed since")


def _messages(packed: bytes) -> Iterator[list[Any]]:
    # Bounded, and held to its form, although only the holder of the key can have sealed it.
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _LARGEST)
        if not unpacker.eof:
            raise BackupFault("a frame of the backup is not whole")
        place = 0
        while place < len(content):
            end = place + _LENGTH + int.from_bytes(content[place : place + _LENGTH], "big")
            yield _decoder.decode(content[place + _LENGTH : end])
            place = end
    except (zlib.error, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BackupFault("a frame of the backup holds something else than what is written into one") from error


def _context(backup_id: str, number: int, *, is_last: bool) -> bytes:
    return sealing.context_of("backup", backup_id, str(number), "last" if is_last else "more")


def digest(file: Path, *, most: int) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file; of one that is larger than it may be, only that it is."""
    size, found = 0, hashlib.sha256()
    with opened(file) as held:
        while size <= most and (content := held.read(_AT_ONCE)):
            size += len(content)
            found.update(content)
    return size, found.hexdigest()


def opened(path: Path) -> BinaryIO:
    """Open a regular file; raises OSError for anything else, which could have no end, or keep its reader waiting for ever."""
    # Whoever keeps a target can put a named pipe or a device there: without O_NONBLOCK to open it is to wait already.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(descriptor, "rb")
