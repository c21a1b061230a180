"""Filters: patterns compiled once into predicates over records, and what a record must hold for one to be worth asking.

Most records concern nobody. So a filter says by which names of events it can match at all, or which piece of text the record must
have in it: only where that holds is the record decoded and the predicate asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep.alerts import patterns
from crownkeep.alerts.expressions import LONGEST_VALUE, Matches
from crownkeep.alerts.patterns import AllOf, AnyOf, Check, Comparison, State, Term

Record = Mapping[str, Any]
Predicate = Callable[[Record], bool]

_ABSENT = object()
_NAME = ("eventName",)
_SHORTEST_PIECE = 4
_IN_EVERY_RECORD = frozenset({b'"type"', b'"eventName"', b'"eventSource"', b'"eventType"', b'"awsRegion"', b'"sourceIPAddress"'})


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled pattern."""

    text: str
    matches: Predicate
    event_names: frozenset[str] | None
    """The only names of events that it can match; None where any will do."""
    pieces: tuple[bytes, ...]
    """Of these, at least one is in every record that it matches, as JSON; none where nothing can be said."""
    members: tuple[bytes, ...] = ()
    """The same of the names of members: many rules ask for few names, such as `errorCode`, that most records don't have."""

    def may_match(self, record: bytes) -> bool:
        """Tell whether a record, as JSON, is worth decoding for it."""
        return not self.pieces or any(piece in record for piece in self.pieces)


def compile_filter(text: str) -> Filter:
    """Compile a pattern; raises PatternError."""
    term = patterns.parse(text)
    return Filter(text, _predicate(term), _event_names(term), _pieces(term), _members(term))


def _predicate(term: Term) -> Predicate:
    match term:
        case AllOf(parts):
            every = tuple(map(_predicate, parts))
            return lambda record: all(holds(record) for holds in every)
        case AnyOf(parts):
            some = tuple(map(_predicate, parts))
            return lambda record: any(holds(record) for holds in some)
        case Check():
            return _check(term)
        case Comparison():
            return _comparison(term)


def _finder(steps: tuple[str | int, ...]) -> Callable[[Record], object]:
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda record: record.get(name, _ABSENT)

    def find(record: Record) -> object:
        found: object = record
        for step in steps:
            if isinstance(step, str):
                if not isinstance(found, Mapping):
                    return _ABSENT
                found = found.get(step, _ABSENT)
            elif isinstance(found, list) and step < len(found):
                found = found[step]
            else:
                return _ABSENT
        return found

    return find


def _check(check: Check) -> Predicate:
    find = _finder(check.selector.steps)
    match check.state:
        case State.NULL:
            return lambda record: find(record) is None
        case State.TRUE:
            return lambda record: find(record) is True
        case State.FALSE:
            return lambda record: find(record) is False
        case State.EXISTS:
            return lambda record: find(record) is not _ABSENT
        case State.NOT_EXISTS:
            return lambda record: find(record) is _ABSENT


def _comparison(comparison: Comparison) -> Predicate:
    find = _finder(comparison.selector.steps)
    if comparison.expression is not None:
        return _expression(find, comparison.operator, comparison.expression)
    if comparison.operator in ("=", "!="):
        equals = _equality(comparison)
        if comparison.operator == "=":
            return lambda record: equals(find(record))
        # What is not there is not equal, either: rather an alarm too many than one that keeps silent.
        return lambda record: not equals(find(record))
    number = comparison.number if comparison.number is not None else 0.0
    compare = _ORDERS[comparison.operator]

    def holds(record: Record) -> bool:
        found = find(record)
        # Compared as it is: a whole number may be larger than any float, and Python compares the two exactly.
        return isinstance(found, int | float) and not isinstance(found, bool) and compare(found, number)

    return holds


def _expression(find: Callable[[Record], object], operator: str, matches: Matches) -> Predicate:
    def holds(record: Record) -> bool:
        found = find(record)
        if not isinstance(found, str):
            return operator == "!="
        # A text that is too long to be read while others wait counts as a hit: it must not be a way past an alarm.
        return len(found) > LONGEST_VALUE or matches(found) is (operator == "=")

    return holds


_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _equality(comparison: Comparison) -> Callable[[object], bool]:
    number = comparison.number
    matches = _wildcards(comparison.wildcards) if comparison.wildcards else comparison.text.__eq__

    def equals(found: object) -> bool:
        if isinstance(found, str):
            return matches(found)
        if isinstance(found, bool):
            return matches("true" if found else "false")
        if isinstance(found, int | float):
            return found == number if number is not None else matches(str(found))
        return False

    return equals


def _wildcards(runs: tuple[str, ...]) -> Callable[[str], bool]:
    """Match the runs between stars, each leftmost first: a star may swallow anything, so there is nothing to go back to."""
    first, *middle, last = runs
    shortest = len(first) + len(last)

    def matches(value: str) -> bool:
        if len(value) < shortest or not value.startswith(first) or not value.endswith(last):
            return False
        at, end = len(first), len(value) - len(last)
        for run in middle:
            at = value.find(run, at, end)
            if at < 0:
                return False
            at += len(run)
        return True

    return matches


def _event_names(term: Term) -> frozenset[str] | None:
    match term:
        case Comparison(selector, "=", text) if selector.steps == _NAME and not term.wildcards and term.expression is None:
            return frozenset({text})
        case AllOf(parts):
            known = [names for part in parts if (names := _event_names(part)) is not None]
            return frozenset.intersection(*known) if known else None
        case AnyOf(parts):
            every = [_event_names(part) for part in parts]
            return frozenset().union(*(names for names in every if names is not None)) if None not in every else None
        case _:
            return None


def _pieces(term: Term) -> tuple[bytes, ...]:
    match term:
        case Comparison(selector, "=", text):
            if term.expression is not None or term.number is not None or text in ("true", "false"):
                return ()
            return _piece(max(term.wildcards, key=len), quoted="") if term.wildcards else _piece(text, quoted='"')
        case Check(selector, State.EXISTS) if isinstance(selector.steps[-1], str):
            return _piece(selector.steps[-1], quoted='"')
        case AllOf(parts):
            return min(filter(None, map(_pieces, parts)), key=len, default=())
        case AnyOf(parts):
            every = [_pieces(part) for part in parts]
            return tuple(piece for pieces in every for piece in pieces) if all(every) else ()
        case _:
            return ()


def _members(term: Term) -> tuple[bytes, ...]:
    match term:
        case Comparison(selector, "=") | Check(selector, State.EXISTS | State.TRUE | State.FALSE):
            name = selector.steps[-1]
            return _piece(name, quoted='"') if isinstance(name, str) else ()
        case AllOf(parts):
            return min(filter(None, map(_members, parts)), key=_commonness, default=())
        case AnyOf(parts):
            every = [_members(part) for part in parts]
            return tuple(sorted({name for names in every for name in names})) if all(every) else ()
        case _:
            return ()


def _commonness(names: tuple[bytes, ...]) -> tuple[bool, int]:
    return any(name in _IN_EVERY_RECORD for name in names), len(names)


def _piece(text: str, *, quoted: str) -> tuple[bytes, ...]:
    # What JSON writes in more than one way, such as quotes and numbers, proves nothing by being absent.
    if len(text) < _SHORTEST_PIECE or not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        return ()
    if all(character in "0123456789.+-eE" for character in text):
        return ()
    return (f"{quoted}{text}{quoted}".encode(),)
