"""CBOR (RFC 8949) as Smithy's RPC protocol uses it: one value, read within bounds, and values written by the model."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from crownkeep import errors
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.json_input import DEEPEST_NESTING
from crownkeep.gateway.scalars import EPOCH, write_blob
from crownkeep.models import Member, Shape

_BREAK = 0xFF
_INDEFINITE = 31
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_MOMENT_TAG = 1


class _Malformed(Exception):
    """Raised where the bytes are no CBOR that is read here."""


def read(body: bytes, *, most: int = CALLERS.elements) -> object:
    """Read one value as JSON would have it: bytes in base64, moments in seconds since 1970.

    Raises SerializationException for what is malformed, deeper than `DEEPEST_NESTING` or made of more than `most` elements.
    """
    reader = _Reader(body, most)
    try:
        value = reader.value(0)
    except (_Malformed, ValueError, struct.error, RecursionError) as error:
        raise errors.SerializationException("the body is not valid CBOR") from error
    if reader.position != len(body):
        raise errors.SerializationException("the body is not one CBOR value")
    return value


def read_map(body: bytes, *, most: int = CALLERS.elements) -> Mapping[str, object]:
    """Read one map; raises SerializationException for anything else."""
    content = read(body, most=most)
    if not isinstance(content, dict):
        raise errors.SerializationException("the body must be a CBOR map")
    return content


class _Reader:
    """A place in a body. Lengths are believed only as far as bytes are there, so that nothing is made of what was not sent."""

    def __init__(self, body: bytes, most: int) -> None:
        self._body = body
        self._left = most
        self.position = 0

    def value(self, depth: int) -> Any:
        """Read the value that begins here."""
        self._left -= 1
        # Both bounds are paid before the value is read, so a bomb costs what it sent and no more.
        if self._left < 0 or depth > DEEPEST_NESTING:
            raise errors.SerializationException("the body has too many elements, or nests too deep")
        first = self._take(1)[0]
        kind, info = first >> 5, first & 31
        match kind:
            case 0:
                return self._number(info)
            case 1:
                return -1 - self._number(info)
            case 2:
                return write_blob(self._bytes(info, kind))
            case 3:
                return self._bytes(info, kind).decode()
            case 4:
                return [self.value(depth + 1) for _ in self._entries(info)]
            case 5:
                return dict(self._pair(depth + 1) for _ in self._entries(info))
            case 6:
                return self._moment(info, depth)
            case _:
                return self._simple(info)

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._body):
            raise _Malformed
        part = self._body[self.position : end]
        self.position = end
        return part

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise _Malformed
        # Big-endian, 1, 2, 4 or 8 bytes for 24 to 27 (RFC 8949, section 3); 28 to 30 are reserved, and 31 is no number.
        return int.from_bytes(self._take(1 << info - 24))

    def _bytes(self, info: int, kind: int) -> bytes:
        if info != _INDEFINITE:
            return self._take(self._number(info))
        parts: list[bytes] = []
        while not self._is_at_break():
            first = self._take(1)[0]
            self._left -= 1
            # Chunks of an indefinite string must be of its own kind and of definite length (section 3.2.3).
            if first >> 5 != kind or self._left < 0:
                raise _Malformed
            parts.append(self._take(self._number(first & 31)))
        return b"".join(parts)

    def _entries(self, info: int) -> Iterator[None]:
        if info == _INDEFINITE:
            while not self._is_at_break():
                yield None
            return
        count = self._number(info)
        # A count that is larger than the bytes left can't be true: each element takes one at least. So no loop runs on a lie.
        if count > len(self._body) - self.position:
            raise _Malformed
        for _ in range(count):
            yield None

    def _is_at_break(self) -> bool:
        if self.position >= len(self._body):
            raise _Malformed
        if self._body[self.position] != _BREAK:
            return False
        self.position += 1
        return True

    def _pair(self, depth: int) -> tuple[str, Any]:
        name = self.value(depth)
        # Keys of a map are member names: nothing else has a meaning in Smithy's protocol.
        if not isinstance(name, str):
            raise _Malformed
        return name, self.value(depth)

    def _moment(self, info: int, depth: int) -> Any:
        # The one tag that is read: a moment in seconds since 1970.
        if self._number(info) != _MOMENT_TAG:
            raise _Malformed
        seconds = self.value(depth + 1)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise _Malformed
        return seconds

    def _simple(self, info: int) -> Any:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info not in _FLOATS:
            raise _Malformed
        return struct.unpack(_FLOATS[info], self._take(1 << info - 24))[0]


# Writing.


def write_members(shape: Shape, content: Mapping[str, object]) -> bytes:
    """Write a structure's members by the model, as a map; absent ones are left out."""
    return mapping(members(shape, content))


def members(shape: Shape, content: Mapping[str, object]) -> dict[str, bytes]:
    """Return a structure's members by their names on the wire, each written."""
    return {
        member.wire_name: _write(member, content[name]) for name, member in shape.members.items() if content.get(name) is not None
    }


def text(value: str) -> bytes:
    """Write a string; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    encoded = value.encode("utf-8", "replace")
    return _head(3, len(encoded)) + encoded


def mapping(entries: Mapping[str, bytes]) -> bytes:
    """Write a map whose values are written already."""
    return _head(5, len(entries)) + b"".join(text(name) + value for name, value in entries.items())


def _head(kind: int, count: int) -> bytes:
    if count < 24:
        return bytes([kind << 5 | count])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if count < 1 << 8 * size:
            return bytes([kind << 5 | info]) + count.to_bytes(size)
    raise ValueError("a number that CBOR has no form for")


def _write(member: Member, value: Any) -> bytes:
    shape = member.shape
    match shape.type:
        case "structure":
            return write_members(shape, value)
        case "list":
            return _head(4, len(value)) + b"".join(_or_null(shape.element, each) for each in value)
        case "map":
            return mapping({key: _or_null(shape.entry[1], each) for key, each in value.items()})
        case other:
            return _SCALARS[other](value)


def _or_null(member: Member, value: Any) -> bytes:
    return b"\xf6" if value is None else _write(member, value)


def _integer(value: Any) -> bytes:
    return _head(0, value) if value >= 0 else _head(1, -1 - value)


def _float(value: Any) -> bytes:
    return b"\xfb" + struct.pack(">d", value)


def _timestamp(value: datetime) -> bytes:
    # To the millisecond, as AWS writes them.
    return b"\xc1" + _float((value - EPOCH) // timedelta(milliseconds=1) / 1000)


_SCALARS: dict[str, Callable[[Any], bytes]] = {
    "string": text,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": lambda value: b"\xf5" if value else b"\xf4",
    "blob": lambda value: _head(2, len(value)) + value,
    "timestamp": _timestamp,
}
