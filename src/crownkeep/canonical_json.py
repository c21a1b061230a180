"""Canonical JSON (RFC 8785) for what is signed: one spelling for one value, so that everybody hashes the same bytes.

Numbers are whole and exact in every JSON reader (up to 2**53 - 1), which leaves out all of the RFC's rules about fractions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

MOST_EXACT = 2**53 - 1
"""The largest whole number that every JSON reader keeps (RFC 7493, section 2.2)."""

DEEPEST = 32
"""How deeply values may lie in one another."""


class NotCanonical(ValueError):
    """A value or text that has no canonical form; the message says why."""


def write(value: object) -> bytes:
    """Write a value of texts, whole numbers, truth values, lists and mappings; raises NotCanonical for anything else."""
    try:
        return _text(value, DEEPEST).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a text holds half a character (a lone surrogate)") from error


def read(content: bytes) -> object:
    """Read what `write` wrote; raises NotCanonical for everything that it would write otherwise."""
    try:
        value = json.loads(content.decode())
        written = write(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("this is no JSON that could be in canonical form") from error
    if written != content:
        # Two spellings of one value, or a key that comes twice: what a reader shows need not be what was signed.
        raise NotCanonical("the JSON is not in its canonical form")
    return value


def plain(value: object) -> object:
    """Return a value as canonical JSON can hold it: numbers that are not whole and all that JSON doesn't know, as their text."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if abs(value) <= MOST_EXACT else str(value)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case bytes():
            return value.hex()
        case Sequence() | set() | frozenset():
            return [plain(each) for each in value]
        case _:
            return str(value)


def is_storable(value: object) -> bool:
    """Tell whether a database keeps every text of a JSON value: PostgreSQL keeps none with U+0000 or half a character."""
    match value:
        case str():
            return "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
        case Mapping():
            return all(is_storable(name) and is_storable(each) for name, each in value.items())
        case list():
            return all(map(is_storable, value))
        case _:
            return True


def _text(value: object, depth: int) -> str:
    if depth == 0:
        raise NotCanonical(f"values lie more than {DEEPEST} deep in one another")
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() if abs(value) <= MOST_EXACT:
            return str(value)
        case Mapping():
            # By UTF-16 code units (section 3.2.3), which differs from Python's order beyond the basic plane.
            keys = sorted(value, key=_units)
            return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_text(value[key], depth - 1)}" for key in keys) + "}"
        case list() | tuple():
            return "[" + ",".join(_text(each, depth - 1) for each in value) + "]"
        case _:
            raise NotCanonical(f"a value of the type `{type(value).__name__}` has no canonical form here")


def _units(key: object) -> bytes:
    if not isinstance(key, str):
        raise NotCanonical("a key is no text")
    return key.encode("utf-16-be")
