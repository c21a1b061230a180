"""Breached passwords: an index over a downloaded list, searched in place without reading it into memory.

The file is a header of 16 bytes (the magic, the number of entries) and the first 8 bytes of each SHA-1, in order. Of a
billion passwords it takes 8 GB, and wrongly reports one password in 18 billion.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from crownkeep.credentials.secret import Secret

MAGIC = b"CKBREACH"
HEADER_SIZE = 16

_ENTRY = 8
_LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::([0-9]{1,12}))?")
_CHUNK = 64 * 1024


class MalformedIndex(ValueError):
    """The index file is not one, or was cut off: import the list again."""


class MalformedList(ValueError):
    """A line of the downloaded list is not `SHA1:COUNT`, or the list is not in order; says which line."""


class Bytes(Protocol):
    """What the index is read from: bytes, or a memory-mapped file."""

    def __len__(self) -> int:
        """Answer the size in bytes."""
        ...

    def __getitem__(self, part: slice, /) -> bytes:
        """Answer some of the bytes."""
        ...


class BreachedPasswords:
    """An opened index."""

    __slots__ = ("_index", "count")

    def __init__(self, index: Bytes) -> None:
        """Open an index over its bytes, usually an mmap; raises MalformedIndex."""
        if len(index) < HEADER_SIZE or index[: len(MAGIC)] != MAGIC:
            raise MalformedIndex("not an index of breached passwords")
        self.count = int.from_bytes(index[len(MAGIC) : HEADER_SIZE], "big")
        if len(index) != HEADER_SIZE + self.count * _ENTRY:
            raise MalformedIndex(f"the index should hold {self.count} entries and was cut off or added to")
        self._index = index

    def __contains__(self, password: Secret) -> bool:
        """Tell whether a password is on the list."""
        # S324: SHA-1 is how the published lists name passwords; nothing rests on its strength.
        digest = hashlib.sha1(password.reveal().encode()).digest()  # noqa: S324
        return self._has(int.from_bytes(digest[:_ENTRY], "big"))

    def _has(self, wanted: int) -> bool:
        """Search by interpolation: hashes are spread evenly, so the place of one can be told from its value."""
        low, high = 0, self.count - 1
        least, most = 0, (1 << 8 * _ENTRY) - 1
        while low <= high and least <= wanted <= most:
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
        start = HEADER_SIZE + place * _ENTRY
        return int.from_bytes(self._index[start : start + _ENTRY], "big")


def header(count: int) -> bytes:
    """Answer the header of an index of so many entries; written last, over HEADER_SIZE bytes left free for it."""
    return MAGIC + count.to_bytes(HEADER_SIZE - len(MAGIC), "big")


def entries(lines: Iterable[bytes], *, at_least: int = 1) -> Iterator[bytes]:
    """Turn the lines of a downloaded list (`SHA1:COUNT`, in order of the hash) into an index's entries, in chunks.

    Passwords seen fewer than `at_least` times are left out. Raises MalformedList.
    """
    chunk = bytearray()
    last = -1
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if not stripped:
            continue
        match = _LINE.fullmatch(stripped)
        if not match:
            raise MalformedList(f"line {number} is not `SHA1:COUNT`")
        if int(match[2] or 1) < at_least:
            continue
        entry = bytes.fromhex(match[1].decode())[:_ENTRY]
        value = int.from_bytes(entry, "big")
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
