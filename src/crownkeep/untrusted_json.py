"""JSON from files and from strangers: whatever can't be worked with raises one error, however it was spoilt.

Python's own reader leaves three traps: it raises RecursionError for deep nesting, takes half characters that nothing can write
again, and takes numbers (NaN) that JSON does not have.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

DEEPEST = 100
"""How deeply values may lie in one another: less than Python's own recursion can follow, and more than any format of ours has."""

_HALF_CHARACTER = re.compile("[\ud800-\udfff]|\\\\u[dD][89a-fA-F]")
Value = TypeVar("Value")


class UnreadableJson(ValueError):
    """A text is no JSON that can be worked with; the message says why."""


def read(content: str | bytes) -> Any:
    """Read any JSON value, from bytes in UTF-8, UTF-16 or UTF-32; raises UnreadableJson."""
    try:
        text = content if isinstance(content, str) else content.decode(json.detect_encoding(content))
        value = json.loads(text, parse_constant=_refuse)
        # Whole characters may be written as two halves: only what could be half of one is looked at more closely.
        if _HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableJson(_reason(error)) from error
    _require_shallow(value)
    return value


def read_as(content: str | bytes, kind: type[Value]) -> Value:
    """Read JSON in UTF-8 as a type that msgspec knows; raises UnreadableJson."""
    try:
        return msgspec.json.decode(content, type=kind)
    # msgspec passes over unknown members, and follows them as deep as they go.
    except (ValueError, RecursionError) as error:
        raise UnreadableJson(_reason(error)) from error


def _reason(error: ValueError | RecursionError) -> str:
    match error:
        case RecursionError():
            return "it nests too deep"
        case UnicodeEncodeError():
            return "a text holds half a character (a lone surrogate)"
        case _:
            return str(error)


def _refuse(constant: str) -> NoReturn:
    raise UnreadableJson(f"JSON has no number `{constant}`")


def _require_shallow(value: object) -> None:
    # Level by level and not by recursion: newer Pythons read deeper than the functions that follow can walk.
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise UnreadableJson("it nests too deep")
        depth += 1
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
