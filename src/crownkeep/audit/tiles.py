"""Tiles and entry bundles, as C2SP's tlog-tiles has them: how they are named and what they hold.

A tile holds up to 256 hashes, those of every eighth height: tile `L/N` those of the complete subtrees `(8L, 256N)` and after.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

HEIGHT = 8
WIDTH = 1 << HEIGHT
_LONGEST_ENTRY = 0xFFFF
_HIGHEST_LEVEL = 63
_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Malformed(ValueError):
    """A bundle or tile is not what its format says."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile by its place, or a bundle of entries where the level is None; `width` is 256 unless it is partial."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def first(self) -> int:
        """The number of the first hash or entry in it, among those of its level."""
        return self.number * WIDTH

    @property
    def path(self) -> str:
        """Where it is found beneath the log's prefix."""
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_written(self.number)}{partial}"


def read_path(path: str) -> Tile | None:
    """Return the tile that a path beneath the log's prefix names, None where it names none."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    number = int(re.sub("[x/]", "", found["number"]))
    level = None if found["level"] == "entries" else int(found["level"])
    width = int(found["width"] or WIDTH)
    tile = Tile(level, number, width)
    # Each tile has one name: no zeros before its number, no width of 256 or more.
    is_named_so = tile.path == path and width <= WIDTH and (level is None or level <= _HIGHEST_LEVEL)
    return tile if is_named_so else None


def write_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as a bundle holds them: each after its length, as two bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > _LONGEST_ENTRY:
            raise Malformed("an entry is longer than 65,535 bytes")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def read_bundle(content: bytes) -> list[bytes]:
    """Return the entries of a bundle; raises Malformed."""
    entries, place = [], 0
    while place < len(content):
        start = place + 2
        # A length that leads beyond the end is refused below, before anything of it is used.
        place = start + int.from_bytes(content[place:start], "big")
        if start > len(content) or place > len(content):
            raise Malformed("the bundle ends in the middle of an entry")
        entries.append(content[start:place])
    return entries


def _written(number: int) -> str:
    digits = str(number)
    # In groups of three digits, all but the last with an `x` (C2SP tlog-tiles).
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
