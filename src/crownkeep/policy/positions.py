"""Where each value of a JSON text stands, by line and column, for simulation, lint and explanations."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]+")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line from 1, column from 0, offset from 0, as Access Analyzer counts them."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Span:
    """From the first character of a value to just after its last."""

    start: Position
    end: Position


def locate(text: str) -> dict[Path, Span]:
    """Find every value of a JSON text that `json.loads` accepts; the walk keeps its own stack, so depth costs no recursion."""
    offsets = _offsets(text)
    starts = [0]
    starts.extend(match.end() for match in re.finditer(r"\n", text))

    def position(offset: int) -> Position:
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1], offset)

    return {path: Span(position(start), position(end)) for path, (start, end) in offsets.items()}


def _offsets(text: str) -> dict[Path, tuple[int, int]]:
    found: dict[Path, tuple[int, int]] = {}
    open_values: list[tuple[Path, int, bool, int]] = []  # path, start, is it an object, next index
    path: Path = ()
    at = _skip(text, 0)
    while True:
        start = at
        if text[at] in "{[":
            is_object = text[at] == "{"
            at = _skip(text, at + 1)
            open_values.append((path, start, is_object, 0))
            if text[at] not in "}]":
                path, at = _next_path(text, at, open_values)
                continue
        else:
            at = _end_of_scalar(text, at)
            found[path] = (start, at)
            at = _skip(text, at)
        while open_values and text[at] in "}]":
            path, start, _, _ = open_values.pop()
            found[path] = (start, at + 1)
            at = _skip(text, at + 1)
        if not open_values:
            return found
        at = _skip(text, at + 1)  # a comma
        path, at = _next_path(text, at, open_values)


def _next_path(text: str, at: int, open_values: list[tuple[Path, int, bool, int]]) -> tuple[Path, int]:
    parent, start, is_object, index = open_values[-1]
    if not is_object:
        open_values[-1] = (parent, start, is_object, index + 1)
        return (*parent, index), at
    end = _end_of_scalar(text, at)
    key = json.loads(text[at:end])
    at = _skip(text, _skip(text, end) + 1)  # past the colon
    return (*parent, key), at


def _end_of_scalar(text: str, at: int) -> int:
    match = (_STRING if text[at] == '"' else _SCALAR).match(text, at)
    if match is None:
        raise ValueError("a text that json.loads accepts")
    return match.end()


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
