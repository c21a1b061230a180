"""Form bodies and query strings: percent-encoded pairs, read strictly and in bounded time (WHATWG URL, section 5)."""

from __future__ import annotations

import re
from binascii import a2b_qp

from crownkeep import errors
from crownkeep.gateway.bounds import CALLERS

_TWICE = "a parameter is given twice: give each of them once"
_BROKEN = "The query string contains a syntax error."
_LONGEST_NAME = 512
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def read_form(*sources: bytes, most: int = CALLERS.elements) -> dict[str, str]:
    """Read parameters, each at most once among all sources; raises MalformedQueryString or MalformedInput."""
    pairs = read_pairs(b"&".join(source for source in sources if source), most=most)
    parameters = dict(pairs)
    # A dict keeps the last of two equal names, so a lost pair shows in the count.
    if len(parameters) != len(pairs):
        # Two readers of one request must never see two different values.
        raise errors.MalformedInput(_TWICE)
    return parameters


def read_one(name: bytes, *sources: bytes) -> str | None:
    """Read one parameter whose name is in plain letters, without looking at the others; None where it is absent.

    Raises MalformedQueryString, or MalformedInput where it is given twice.
    """
    found: list[bytes] = []
    for source in sources:
        # With a `&` in front of the first pair as well, a name is only found where a pair begins, and never inside a value.
        text = b"&" + source
        start = text.find(b"&" + name + b"=")
        while start >= 0 and len(found) < 2:
            end = text.find(b"&", start + 1)
            found.append(text[start + len(name) + 2 : end if end >= 0 else len(text)])
            start = text.find(b"&" + name + b"=", start + 1)
    if len(found) > 1:
        raise errors.MalformedInput(_TWICE)
    try:
        # Cut before it is decoded: a name or version is short, and strangers may send a mebibyte.
        return unescape(found[0][:_LONGEST_NAME].replace(b"+", b" ")) if found else None
    except ValueError as error:
        raise errors.MalformedQueryString(_BROKEN) from error


def read_pairs(source: bytes, *, most: int = CALLERS.elements) -> list[tuple[str, str]]:
    """Read pairs in order, repeated names and all; raises MalformedQueryString."""
    # Counted before splitting: the count takes microseconds, and no list is made for what is refused.
    if source.count(b"&") >= most:
        raise errors.MalformedQueryString(f"too many parameters: at most {most:,} are read")
    try:
        return [_pair(part) for part in source.split(b"&") if part]
    except ValueError as error:
        raise errors.MalformedQueryString(_BROKEN) from error


def _pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    if b"%" not in part:
        return name.decode(), value.decode()
    return unescape(name), unescape(value)


def unescape(part: bytes) -> str:
    """Undo percent-encoding; raises ValueError for a broken escape or for what isn't UTF-8."""
    if b"%" not in part:
        return part.decode()
    if _BROKEN_ESCAPE.search(part):
        raise ValueError("broken percent-encoding")
    # Quoted-printable is percent-encoding with another sign, and the standard library reads it in C: 1 MiB of
    # escapes takes 2 ms instead of 60, and anyone may send one.
    return a2b_qp(part.replace(b"=", b"%3D").replace(b"%", b"=")).decode()
