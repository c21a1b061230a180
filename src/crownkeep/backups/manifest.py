"""A backup's manifest: what it holds and its parts' hashes, signed so that anybody can verify it without a secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from crownkeep import untrusted_json
from crownkeep.audit import notes, signed_texts
from crownkeep.audit.checkpoints import Signer
from crownkeep.audit.notes import BadSignature, MalformedNote, VerifierKey
from crownkeep.untrusted_json import UnreadableJson

FORMAT = "crownkeep-backup/1"
_PIECE = re.compile(r"\d{4}-\d\d\.(?:jsonl\.gz|index)-[0-9a-f]{8}")


class UnsoundManifest(Exception):
    """A manifest can't be read or is not what was signed; the message says which."""


class BackupPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of sealed frames."""

    name: str
    size: int
    sha256: str


class BackupPiece(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A file of a sealed month, which several backups of a target share."""

    id: str
    name: str
    mark: str
    """A keyed hash of its content, by which the next backup finds it again."""
    parts: tuple[BackupPart, ...]
    wrapped_key: bytes = b""
    """The piece's own key, wrapped for a recipient; without one, the sealing key opens it."""
    stamp: str = ""
    """A keyed hash of its file's size, times and inode, by which the next backup need not read it; empty where it was too new."""

    @property
    def folder(self) -> str:
        """What its folder is called."""
        return f"{self.name}-{self.id}"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a backup holds; nothing in it is secret."""

    format: str
    backup_id: str
    made_at: datetime
    version: str
    """Of the software that made it."""
    schema_step: str
    database: str
    """`sqlite` or `postgresql`."""
    sealing_key_id: str
    records: int
    """How many records the trail holds, those that wait for their place in the tree among them."""
    checkpoint: str
    """The trail's newest checkpoint, as it is published; empty where nothing was recorded yet."""
    rows: dict[str, int]
    files: int
    parts: tuple[BackupPart, ...]
    vkey: str
    """The key that signed; whoever verifies knows it from elsewhere, or knows only that all belongs together."""

    wrapped_key: bytes = b""
    """The backup's own key, wrapped for a recipient; without one, the sealing key opens the backup."""
    wrapped_sealing_key: bytes = b""
    """The file of sealing keys, wrapped by a passphrase; empty unless that was asked for."""
    sealing_key_for: bytes = b""
    """The file of sealing keys, wrapped for a recipient; empty unless that was asked for."""

    pieces: tuple[BackupPiece, ...] = ()
    """The files of sealed months, which other backups may share."""

    @property
    def size(self) -> int:
        """The bytes of all parts, without those of pieces."""
        return sum(part.size for part in self.parts)


def signed(manifest: Manifest, signer: Signer) -> bytes:
    """Return a manifest as it is kept: one line of JSON, signed as a note."""
    return signed_texts.sign(msgspec.json.encode(manifest).decode() + "\n", signer).encode().encode()


def read(content: bytes, keys: Sequence[VerifierKey]) -> tuple[Manifest, VerifierKey]:
    """Return a manifest and who has signed it; without keys, that is the key that it names itself. Raises UnsoundManifest."""
    try:
        note = notes.read(content)
        found = untrusted_json.read_as(note.text, Manifest)
        trusted = keys or [notes.read_key(found.vkey)]
        signer = signed_texts.verify(note, trusted)
    except (MalformedNote, BadSignature, UnreadableJson) as error:
        raise UnsoundManifest(f"the manifest is not sound: {error}") from error
    # Every name here becomes a path: no other than ours is taken, whoever signed.
    are_pieces_ours = all(_PIECE.fullmatch(piece.folder) and _are_ours(piece.parts) for piece in found.pieces)
    if found.format != FORMAT or not _are_ours(found.parts) or not are_pieces_ours:
        raise UnsoundManifest("the manifest is of another format: a newer version made it, or somebody else")
    return found, signer


def _are_ours(parts: Sequence[BackupPart]) -> bool:
    return [part.name for part in parts] == [f"part-{number:05}" for number in range(1, len(parts) + 1)]
