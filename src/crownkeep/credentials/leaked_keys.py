"""Access keys in any text: ids by their form, and whatever near them could be their secret."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crownkeep.credentials.secret import Secret

NEAR = 20
"""Lines before and after an id in which its secret is looked for: people keep the two together."""
_MOST_CANDIDATES = 50
_MOST_FROM_BEFORE = 20
_ID = re.compile(rb"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?![A-Za-z0-9])")
_HEXADECIMAL = re.compile(rb"[0-9a-f]{40}")
_SECRET = re.compile(rb"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")


@dataclass(slots=True)
class Sighting:
    """An access key id in a text, and where; `candidates` grows while the lines after it are read."""

    access_key_id: str
    place: str
    candidates: list[Secret] = field(default_factory=list)


def sightings(lines: Iterable[tuple[str, bytes]]) -> Iterator[Sighting]:
    """Return every access key id in some lines, given with their places; each as soon as the lines near it are read.

    Texts of two bytes a character, as Windows writes them, are read as well.
    """
    before: deque[list[bytes]] = deque(maxlen=NEAR)
    waiting: deque[tuple[int, Sighting]] = deque()
    for number, (place, line) in enumerate(lines):
        text = line.replace(b"\0", b"") if b"\0" in line else line
        while waiting and waiting[0][0] < number:
            yield waiting.popleft()[1]
        found = _candidates(text)
        for _, sighting in waiting:
            _add(sighting, found)
        for match in _ID.finditer(text) if b"AKIA" in text else ():
            sighting = Sighting(match[0].decode(), place)
            _add(sighting, sorted(found, key=lambda each: abs(text.find(each) - match.start())))
            for earlier in reversed(before):
                _add(sighting, earlier, most=_MOST_FROM_BEFORE)
            waiting.append((number + NEAR, sighting))
        before.append(found[:_MOST_CANDIDATES])
    for _, sighting in waiting:
        yield sighting


def _candidates(text: bytes) -> list[bytes]:
    """What has the form of a secret, without what is much more common: the names of commits and other SHA-1 digests."""
    if len(text) < 40:
        return []
    return [each for each in _SECRET.findall(text) if _HEXADECIMAL.fullmatch(each) is None]


def _add(sighting: Sighting, found: Iterable[bytes], *, most: int = _MOST_CANDIDATES) -> None:
    for each in found:
        if len(sighting.candidates) >= most:
            return
        sighting.candidates.append(Secret(each.decode()))
