"""The files that sealed months lie in: an export of the month's records, compressed, and an index that finds them.

    2026-10.jsonl.gz   one gzip member with a line that says what it is, then one for each 256 places of the tree (a tile): a
                       line of JSON for each record, as `crownkeep trail export` writes it. `zcat` reads it, and
                       `trail verify --export` verifies what `zcat` writes.
    2026-10.index      where each member is, which ids it has, and hashes of what its records are found by; made from the other

Both are written beside their place and put there at once. The index names its file's length and the token in its first
line: one of another file is never used, and made anew in memory instead.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec

from crownkeep import untrusted_json
from crownkeep.audit import leaf, notes
from crownkeep.audit.leaf import Leaf
from crownkeep.storage.database import Database, Transaction

EXPORT = "crownkeep_trail_export"
WIDTH = 256
_VERSION = 1
_OPTION = "crownkeep_sealed_directory"
_KEY = 4
_HEAD_BYTES = 64 << 10
_INDEXES_KEPT = 6
_UNREADABLE = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, msgspec.MsgspecError)


class SealedFileFault(Exception):
    """A sealed file is missing or can't be read; the message names it."""


class SealedLine(msgspec.Struct, frozen=True):
    """One record as a file has it; `record` and `columns` are None where it was withheld since."""

    index: int
    leaf: str
    record: str | None
    columns: tuple[str, str, str, str, str, tuple[tuple[str, str], ...]] | None

    @property
    def entry(self) -> Leaf:
        """What the leaf says; raises UnreadableLeaf and MalformedNote."""
        return leaf.read(notes.decode(self.leaf))


class SealedBlock(msgspec.Struct, frozen=True, array_like=True):
    """One member of a file: where it is, what places in the tree and ids its records have, and where its hashes are."""

    offset: int
    length: int
    first_index: int
    last_index: int
    first_id: bytes
    last_id: bytes
    keys_at: int
    keys: int


class SealedAccount(msgspec.Struct, frozen=True, array_like=True):
    """How many records of an account a file has, and from which event to which."""

    first_id: bytes
    last_id: bytes
    records: int


class SealedIndex(msgspec.Struct, frozen=True):
    """What finds the records of a file."""

    version: int
    token: str
    size: int
    """How long its file is."""
    blocks: list[SealedBlock]
    keys: bytes
    accounts: dict[str, SealedAccount]

    @property
    def records(self) -> int:
        """How many records the file has."""
        return sum(each.records for each in self.accounts.values())

    def has(self, block: SealedBlock, key: bytes) -> bool:
        """Tell whether a member may have a record that is found by this; rarely it has none."""
        low, high = block.keys_at, block.keys_at + block.keys
        while low < high:
            # The hashes of one member are sorted, so a few comparisons are enough, and nothing is unpacked for it.
            middle = (low + high) // 2
            found = self.keys[middle * _KEY : (middle + 1) * _KEY]
            if found == key:
                return True
            low, high = (middle + 1, high) if found < key else (low, middle)
        return False


_encode_line = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(SealedLine).decode
_decode_index = msgspec.msgpack.Decoder(SealedIndex).decode


def keep_in(database: Database, directory: Path) -> None:
    """Say where the files of a database's sealed months are."""
    database.engine.update_execution_options(**{_OPTION: directory})


def directory_of(db: Transaction) -> Path | None:
    """Return where the files of a database's sealed months are, None where nobody has said so."""
    found: Path | None = db.engine.get_execution_options().get(_OPTION)
    return found


def file_of(db: Transaction, month: str) -> Path:
    """Return where the file of a month is; raises SealedFileFault where nobody has said so."""
    directory = directory_of(db)
    if directory is None:
        raise SealedFileFault(f"the records of {month} are sealed into a file, and no directory of sealed files is known")
    return directory / f"{month}.jsonl.gz"


def key_of(account_id: str, attribute: str, value: str) -> bytes:
    """Return the hash that stands for what a record is found by."""
    # Four bytes only. Two texts may share them, so a member that is found is looked through; the hash only saves reading the
    # others.
    return blake2b(f"{account_id}\0{attribute}\0{value}".encode(), digest_size=_KEY).digest()


def found_by(line: SealedLine, entry: Leaf) -> Iterator[tuple[str, str]]:
    """Yield what a record is found by, as LookupEvents names it; the account alone first."""
    # A search without an attribute finds whatever the account has.
    yield "", ""
    yield "EventId", entry.event_id.hex()
    # Of a withheld record nothing else is known any more.
    if line.columns is None:
        return
    source, name, read_only, username, access_key_id, resources = line.columns
    yield "EventSource", source
    yield "EventName", name
    yield "ReadOnly", read_only
    yield "Username", username
    yield "AccessKeyId", access_key_id
    for kind, text in resources:
        yield "ResourceType", kind
        yield "ResourceName", text[:512]


def write(place: Path, head: dict[str, object], lines: Iterable[SealedLine]) -> None:
    """Write a file and its index beside their places, and put both there; raises OSError, and leaves what was there."""
    # In the same directory, since only there can a file be put into another's place at once.
    part, index_part = place.with_name(f".{place.name}.part"), place.with_name(f".{place.name}.index.part")
    with _new(part) as file:
        # Always with the same time and level, so that the same records always make the same file.
        file.write(gzip.compress(_json({EXPORT: _VERSION} | head), 9, mtime=0))
        for block in _blocks(lines):
            file.write(gzip.compress(b"".join(_encode_line(line) + b"\n" for line in block), 9, mtime=0))
        _sync(file)
    with _new(index_part) as file:
        # Made from the file that was written and not from what should be in it: writing is checked by that as well.
        file.write(msgspec.msgpack.encode(scan(part)))
        _sync(file)
    # The file comes first. An index without its file would be of no use; a file without its index only costs a scan.
    part.replace(place)
    index_part.replace(_index_place(place))
    # The new names are on the disk only once the directory is.
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(place: Path) -> None:
    """Remove a file and its index."""
    place.unlink(missing_ok=True)
    _index_place(place).unlink(missing_ok=True)


def _blocks(lines: Iterable[SealedLine]) -> Iterator[list[SealedLine]]:
    """Yield lines together that have their places in one tile."""
    block: list[SealedLine] = []
    for line in lines:
        if block and block[0].index // WIDTH != line.index // WIDTH:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _new(place: Path) -> BinaryIO:
    # Nobody may have put a link there that leads the records elsewhere.
    return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _index_place(place: Path) -> Path:
    return place.with_name(place.name.removesuffix(".jsonl.gz") + ".index")


def scan(place: Path) -> SealedIndex:
    """Read a whole file and make its index; raises SealedFileFault."""
    blocks: list[SealedBlock] = []
    keys, accounts = bytearray(), dict[str, SealedAccount]()
    try:
        with place.open("rb") as file:
            token, offset = _head(file)
            for content, length in _members(file, offset):
                lines = [_decode_line(line) for line in content.splitlines()]
                entries = [line.entry for line in lines]
                found = set[bytes]()
                # What is withheld counts for nobody: it can't be found and is no longer among the account's records.
                for line, entry in zip(lines, entries, strict=True):
                    if line.record is not None:
                        found |= {key_of(entry.account_id, *each) for each in found_by(line, entry)}
                        _count(accounts, entry)
                event_ids = [entry.event_id for entry in entries]
                at = len(keys) // _KEY
                keys += b"".join(sorted(found))
                blocks.append(
                    SealedBlock(offset, length, lines[0].index, lines[-1].index, min(event_ids), max(event_ids), at, len(found))
                )
                offset += length
    except _UNREADABLE as error:
        raise SealedFileFault(f"the sealed file `{place}` can't be read: {_reason(error)}") from error
    return SealedIndex(_VERSION, token, offset, blocks, bytes(keys), accounts)


def _count(accounts: dict[str, SealedAccount], entry: Leaf) -> None:
    known = accounts.get(entry.account_id) or SealedAccount(entry.event_id, entry.event_id, 0)
    accounts[entry.account_id] = SealedAccount(
        min(known.first_id, entry.event_id), max(known.last_id, entry.event_id), known.records + 1
    )


def _members(file: BinaryIO, offset: int) -> Iterator[tuple[bytes, int]]:
    """Yield what each gzip member from an offset on holds, and how long it is in the file."""
    file.seek(offset)
    rest = b""
    while rest or (rest := file.read(_HEAD_BYTES)):
        unpacker, parts, length = zlib.decompressobj(wbits=31), list[bytes](), 0
        # Piece by piece: a member may be longer than what is read at once, and end in the middle of it.
        while not unpacker.eof:
            if not rest and not (rest := file.read(_HEAD_BYTES)):
                raise EOFError("it ends in the middle of a member")
            parts.append(unpacker.decompress(rest))
            length += len(rest) - len(unpacker.unused_data)
            rest = unpacker.unused_data
        yield b"".join(parts), length


def _head(file: BinaryIO) -> tuple[str, int]:
    """Return the token in a file's first line, and where the records begin."""
    content, length = next(_members(file, 0), (b"{}", 0))
    head = untrusted_json.read(content)
    # Before anything else is read, since any gzip file could lie there.
    if EXPORT not in head:
        raise ValueError("it is no file of a sealed month")
    return str(head["token"]), length


def head_of(place: Path) -> dict[str, object]:
    """Return what the first line of a file says; raises SealedFileFault."""
    try:
        with place.open("rb") as file:
            content, _ = next(_members(file, 0), (b"{}", 0))
        found: dict[str, object] = untrusted_json.read(content)
    except _UNREADABLE as error:
        raise SealedFileFault(f"the sealed file `{place}` can't be read: {_reason(error)}") from error
    return found


def load(place: Path) -> SealedIndex:
    """Return the index of a file, made anew where there is none that fits; raises SealedFileFault."""
    try:
        found = place.stat()
    except OSError as error:
        raise SealedFileFault(f"the sealed file `{place}` is not there: {_reason(error)}") from error
    # The file's own numbers are part of the key, so a file that was replaced is never read by its old index.
    return _loaded(place, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=_INDEXES_KEPT)
def _loaded(place: Path, *_version_of_it: int) -> SealedIndex:
    # A broken index is no fault: it is made anew from the file, which alone counts.
    with suppress(*_UNREADABLE):
        index = _decode_index(_index_place(place).read_bytes())
        with place.open("rb") as file:
            if (index.version, index.token, index.size) == (_VERSION, _head(file)[0], os.fstat(file.fileno()).st_size):
                return index
    return scan(place)


def lines_of(place: Path, blocks: Sequence[SealedBlock]) -> Iterator[tuple[SealedBlock, list[SealedLine]]]:
    """Yield the lines of members of a file; raises SealedFileFault for the first that can't be read."""
    for block in blocks:
        try:
            # Opened for each member, so that no file stays open while whoever asks takes their time.
            with place.open("rb") as file:
                file.seek(block.offset)
                content = gzip.decompress(file.read(block.length))
            yield block, [_decode_line(line) for line in content.splitlines()]
        except _UNREADABLE as error:
            where = f"the records at indexes {block.first_index} to {block.last_index} of the sealed file `{place}`"
            raise SealedFileFault(f"{where} can't be read: {_reason(error)}") from error


def blocks_with(index: SealedIndex, places: Iterable[int]) -> list[SealedBlock]:
    """Return the members that may have the records at these indexes of the tree."""
    # The members are in the order of the tree, so the one before the next is the only one it can be in.
    firsts = [block.first_index for block in index.blocks]
    numbers = sorted({bisect_right(firsts, each) - 1 for each in places})
    return [index.blocks[each] for each in numbers if each >= 0]


def blocks_found_by(index: SealedIndex, account_id: str, attribute: tuple[str, str] | None) -> list[SealedBlock]:
    """Return the members that may have records of an account with an attribute, those with the newest events first."""
    key = key_of(account_id, *(attribute or ("", "")))
    found = (block for block in index.blocks if index.has(block, key))
    return sorted(found, key=lambda block: block.last_id, reverse=True)


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error)
    return said or type(error).__name__
