"""Breached passwords: an index over a downloaded list, searched in place without reading it into memory.

The file is a header of 16 bytes (the magic, which names the kind of hash, and the number of entries) and the first 8 bytes of
each hash, in order. Of a billion passwords it takes 8 GB, and wrongly reports one password in 18 billion.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Protocol

from crownkeep.credentials.nt_hashes import nt_hash
from crownkeep.credentials.secret import Secret

HEADER_SIZE = 16
ENTRY = 8
"""Bytes of one entry."""

LONGEST_LINE = 4096
"""Bytes; a longer line belongs to another kind of file."""

LONGEST_PASSWORD = 128
"""Characters; nobody here can have a longer one."""

_CHUNK = 64 * 1024


class BreachListKind(Enum):
    """By which hash a list names passwords; the value is the magic of an index over it."""

    SHA1 = b"CKBREACH"
    NTLM = b"CKBRNTLM"


_LINES = {
    BreachListKind.SHA1: re.compile(rb"([0-9A-Fa-f]{40})(?::([0-9]{1,12}))?"),
    BreachListKind.NTLM: re.compile(rb"([0-9A-Fa-f]{32})(?::([0-9]{1,12}))?"),
}


class MalformedIndex(ValueError):
    """The index file is not one, or was cut off: import the list again."""


class MalformedList(ValueError):
    """A line of the list is not what it should be, or the list is not in order; says which line."""


class Bytes(Protocol):
    """What the index is read from: bytes, or a memory-mapped file."""

    def __len__(self) -> int:
        """Return the size in bytes."""
        ...

    def __getitem__(self, part: slice, /) -> bytes:
        """Return some of the bytes."""
        ...


class BreachedPasswords:
    """Passwords that are known from breaches: an index over their hashes, opened for reading."""

    __slots__ = ("_index", "count", "kind")

    def __init__(self, index: Bytes) -> None:
        """Open an index over its bytes, usually an mmap; raises MalformedIndex."""
        kinds = [kind for kind in BreachListKind if len(index) >= HEADER_SIZE and index[: len(kind.value)] == kind.value]
        if not kinds:
            raise MalformedIndex("not an index of breached passwords")
        self.kind = kinds[0]
        self.count = int.from_bytes(index[len(self.kind.value) : HEADER_SIZE], "big")
        if len(index) != HEADER_SIZE + self.count * ENTRY:
            raise MalformedIndex(f"the index should hold {self.count} entries and was cut off or added to")
        self._index = index

    def __contains__(self, password: Secret) -> bool:
        """Tell whether a password is on the list."""
        return self._has(int.from_bytes(entry_of(password.reveal(), kind=self.kind), "big"))

    def _has(self, wanted: int) -> bool:
        """Search by interpolation: hashes are spread evenly, so the place of one can be told from its value."""
        low, high = 0, self.count - 1
        least, most = 0, (1 << 8 * ENTRY) - 1
        while low <= high and least <= wanted <= most:
            # On a list of hashes this takes a handful of steps, where halving takes thirty; each may be a page from the disk.
            place = low + (wanted - least) * (high - low) // max(1, most - least)
            found = self._entry(place)
            if found == wanted:
                return True
            if found < wanted:
                low, least = place + 1, found + 1
            else:
                high, most = place - 1, found - 1
        return False

    def _entry(self, place: int) -> int:
        start = HEADER_SIZE + place * ENTRY
        return int.from_bytes(self._index[start : start + ENTRY], "big")


def header(count: int, *, kind: BreachListKind = BreachListKind.SHA1) -> bytes:
    """Return the header of an index of so many entries; written last, over HEADER_SIZE bytes left free for it."""
    return kind.value + count.to_bytes(HEADER_SIZE - len(kind.value), "big")


def entry_of(password: str, *, kind: BreachListKind) -> bytes:
    """Return the entry of one password."""
    match kind:
        case BreachListKind.SHA1:
            # S324: SHA-1 is how the published lists name passwords; nothing rests on its strength.
            return hashlib.sha1(password.encode()).digest()[:ENTRY]  # noqa: S324
        case BreachListKind.NTLM:
            return nt_hash(password)[:ENTRY]


def kind_of(line: bytes) -> BreachListKind | None:
    """Tell from its first line of what kind a list is; None for one of plain passwords."""
    return next((kind for kind, pattern in _LINES.items() if pattern.fullmatch(line.strip())), None)


def entries(lines: Iterable[bytes], *, kind: BreachListKind = BreachListKind.SHA1, at_least: int = 1) -> Iterator[bytes]:
    """Turn the lines of a downloaded list (`HASH:COUNT`, in order of the hash) into an index's entries, in chunks.

    Passwords seen fewer than `at_least` times are left out. Raises MalformedList.
    """
    chunk = bytearray()
    last = -1
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if not stripped:
            continue
        match = _LINES[kind].fullmatch(stripped)
        if not match:
            raise MalformedList(f"line {number} is not `{kind.name}-HASH:COUNT`")
        if int(match[2] or 1) < at_least:
            continue
        entry = bytes.fromhex(match[1].decode())[:ENTRY]
        value = int.from_bytes(entry, "big")
        # The index is searched by order: a list in another order would silently miss passwords.
        if value < last:
            raise MalformedList(f"line {number} is out of order: download the list that is ordered by hash")
        if value > last:
            chunk += entry
            last = value
        if len(chunk) >= _CHUNK:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)


def plain_entries(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Return the entries of a list of plain passwords, one a line, in the list's own order and as often as they come.

    What no password here can be is left out: empty lines, other encodings than UTF-8, more than LONGEST_PASSWORD characters.
    """
    for line in lines:
        try:
            password = line.rstrip(b"\r\n").decode()
        except UnicodeDecodeError:
            continue
        if 0 < len(password) <= LONGEST_PASSWORD:
            yield entry_of(password, kind=BreachListKind.SHA1)
