"""Form bodies and query strings: percent-encoded pairs, read strictly and in bounded time (WHATWG URL, section 5)."""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Iterator

from crownkeep import errors

MAX_PARAMETERS = 20_000
"""More than any AWS operation can use; a bound on what an unauthenticated request may cost."""

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def read_form(*sources: bytes) -> dict[str, str]:
    """Read parameters, each at most once among all sources; raises MalformedQueryString or MalformedInput."""
    parameters: dict[str, str] = {}
    for source in sources:
        for name, value in read_pairs(source):
            if name in parameters:
                # Two readers of one request must never see two different values.
                raise errors.MalformedInput(f"the parameter `{name[:128]}` is given twice: give it once")
            parameters[name] = value
    return parameters


def read_pairs(source: bytes) -> Iterator[tuple[str, str]]:
    """Read pairs in order, repeated names and all; raises MalformedQueryString."""
    if not source:
        return
    if source.count(b"&") >= MAX_PARAMETERS:
        raise errors.MalformedQueryString(f"too many parameters: at most {MAX_PARAMETERS:,} are read")
    try:
        if b"%" not in source:
            text = source.decode()
            for pair in text.split("&"):
                name, _, value = pair.replace("+", " ").partition("=")
                if pair:
                    yield name, value
            return
        for part in source.split(b"&"):
            if part:
                name_part, _, value_part = part.partition(b"=")
                yield unescape(name_part.replace(b"+", b" ")), unescape(value_part.replace(b"+", b" "))
    except ValueError as error:
        raise errors.MalformedQueryString("The query string contains a syntax error.") from error


def unescape(part: bytes) -> str:
    """Undo percent-encoding; raises ValueError for a broken escape or for what isn't UTF-8."""
    if b"%" not in part:
        return part.decode()
    if _BROKEN_ESCAPE.search(part):
        raise ValueError("broken percent-encoding")
    # Quoted-printable is percent-encoding with another sign, and the standard library reads it in C: 1 MiB of
    # escapes takes 2 ms instead of 60, and anyone may send one.
    return a2b_qp(part.replace(b"=", b"%3D").replace(b"%", b"=")).decode()
