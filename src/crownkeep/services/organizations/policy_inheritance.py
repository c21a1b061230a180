"""How policies that configure services are merged from the root down into the one that is in force for an account.

Pure: documents in, a document out. Source: AWS Organizations user guide, "Understanding management policy inheritance" and
"Inheritance operators". A setting is an object of value-setting operators; what a parent doesn't let its children do with a
setting is left out, without an error, as the guide says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

ASSIGN, APPEND, REMOVE = "@@assign", "@@append", "@@remove"
VALUE_OPERATORS = (ASSIGN, APPEND, REMOVE)
CONTROL = "@@operators_allowed_for_child_policies"
ALL, NONE = "@@all", "@@none"

DEEPEST = 24
"""How deep settings may lie; those of every type that AWS has lie less deep."""

_EVERY_OPERATOR = frozenset(VALUE_OPERATORS)

Path = tuple[str, ...]
Scalar = str | int | float | bool
Value = Scalar | list[Scalar]
Settings = dict[str, "Settings | Value"]


class MalformedInheritance(Exception):
    """The document is not a policy that can be merged; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a policy: where it is, and what is done to it."""

    path: Path
    operations: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class InheritedPolicy:
    """A policy as its settings, and what it lets the policies below it do, by path."""

    settings: tuple[Setting, ...]
    controls: Mapping[Path, frozenset[str]]


@dataclass(slots=True)
class _Merged:
    values: dict[Path, Value] = field(default_factory=dict)
    controls: dict[Path, frozenset[str]] = field(default_factory=dict)

    def allowed(self, path: Path) -> frozenset[str]:
        """What may be done to a setting: what is said of it, or else of the nearest key above it."""
        for length in range(len(path), -1, -1):
            found = self.controls.get(path[:length])
            if found is not None:
                return found
        return _EVERY_OPERATOR


def parse(text: str) -> InheritedPolicy:
    """Read a document; raises MalformedInheritance."""
    try:
        document = json.loads(text, object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError) as error:
        raise MalformedInheritance("the document is not JSON, or repeats a key") from error
    if not isinstance(document, dict) or not document:
        raise MalformedInheritance("the document is not an object with settings")
    controls: dict[Path, frozenset[str]] = {}
    settings = tuple(_settings(document, (), controls))
    return InheritedPolicy(settings, controls)


def merge(levels: Iterable[Sequence[InheritedPolicy]]) -> Settings:
    """Return the settings in force below all these levels, the root's first; policies of one level in the order they are in.

    Policies of one level don't limit one another. Where they limit their children differently, the stricter one holds, and no
    level gives back what one above it took.
    """
    merged = _Merged()
    for level in levels:
        for policy in level:
            _apply(merged, policy)
        _limit(merged, level)
    return _nested(merged.values)


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _settings(node: Mapping[str, object], path: Path, controls: dict[Path, frozenset[str]]) -> Iterator[Setting]:
    if len(path) > DEEPEST:
        raise MalformedInheritance(f"settings lie deeper than {DEEPEST} keys")
    operations: dict[str, Value] = {}
    for key, value in node.items():
        if key == CONTROL:
            controls[path] = _control(value)
        elif key in VALUE_OPERATORS:
            operations[key] = _value(key, value)
        elif key.startswith("@@"):
            raise MalformedInheritance(f"`{key}` is no inheritance operator")
        elif isinstance(value, dict):
            yield from _settings(value, (*path, key), controls)
        else:
            raise MalformedInheritance(f"`{key}` is not set by an operator such as `{ASSIGN}`")
    if not operations:
        return
    if not path or any(not key.startswith("@@") for key in node):
        raise MalformedInheritance("a setting can't hold other settings")
    yield Setting(path, operations)


def _control(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise MalformedInheritance(f"`{CONTROL}` must be a list of operators")
    given = set(value)
    if given == {ALL}:
        return _EVERY_OPERATOR
    if given == {NONE}:
        return frozenset()
    if not given <= _EVERY_OPERATOR:
        raise MalformedInheritance(
            f"`{CONTROL}` must hold `{ALL}` alone, `{NONE}` alone, or some of {', '.join(VALUE_OPERATORS)}"
        )
    return frozenset(given)


def _value(operator: str, value: object) -> Value:
    if isinstance(value, list):
        if not all(isinstance(each, Scalar) for each in value):
            raise MalformedInheritance(f"`{operator}` holds a list of something else than texts, numbers and booleans")
        return list(value)
    if operator != ASSIGN:
        raise MalformedInheritance(f"`{operator}` must hold a list")
    if not isinstance(value, Scalar):
        raise MalformedInheritance(f"`{operator}` must hold a text, a number, a boolean or a list of them")
    return value


def _apply(merged: _Merged, policy: InheritedPolicy) -> None:
    for setting in policy.settings:
        allowed = merged.allowed(setting.path)
        for operator in VALUE_OPERATORS:
            if operator in setting.operations and operator in allowed:
                _operate(merged.values, setting.path, operator, setting.operations[operator])


def _operate(values: dict[Path, Value], path: Path, operator: str, given: Value) -> None:
    held = values.get(path)
    listed = held if isinstance(held, list) else [] if held is None else [held]
    operand = given if isinstance(given, list) else [given]
    match operator:
        case "@@assign":
            values[path] = given
        case "@@append":
            values[path] = [*listed, *(each for each in operand if each not in listed)]
        case _ if held is not None:
            values[path] = [each for each in listed if each not in operand]


def _limit(merged: _Merged, level: Sequence[InheritedPolicy]) -> None:
    said: dict[Path, frozenset[str]] = {}
    for policy in level:
        for path, allowed in policy.controls.items():
            said[path] = said.get(path, _EVERY_OPERATOR) & allowed
    # The nearest key above counts as it stood before this level.
    inherited = {path: merged.allowed(path) for path in said}
    for path, allowed in said.items():
        merged.controls[path] = allowed & inherited[path]
    # What a level takes at a key, it takes at the keys below it that levels above spoke of, too.
    for path in merged.controls.keys() - said.keys():
        above = next((said[path[:length]] for length in range(len(path) - 1, -1, -1) if path[:length] in said), None)
        if above is not None:
            merged.controls[path] &= above


def _nested(values: Mapping[Path, Value]) -> Settings:
    root: Settings = {}
    for path, value in values.items():
        node = root
        for key in path[:-1]:
            below = node.setdefault(key, {})
            if not isinstance(below, dict):
                # One policy's setting is another's key: the one that came first stands.
                break
            node = below
        else:
            if not isinstance(node.get(path[-1]), dict):
                node[path[-1]] = value
    return root
