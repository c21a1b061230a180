"""The limits of AWS's models, checked in AWS's words: one compiled check per place where a shape is used.

A check adds what is wrong to a list and costs next to nothing where all is well: the way to a value is a chain of pairs that
becomes text only for a message. Lengths are counted in code points (Smithy 2.0, "length trait") and checked before patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from crownkeep.models import Member, Shape, lower_camel
from crownkeep.operations.java_patterns import compile_pattern

Way: TypeAlias = "tuple[Way | None, str]"
# Parameters are whatever the decoders answered: the model says what they are.
Check: TypeAlias = "Callable[[Any, Way, list[Violation]], None]"

MOST_VIOLATIONS = 100
"""Named in one refusal; a request can break more limits than a message should hold."""
LONGEST_ECHO = 1024
PATTERN_SENTENCE = "Member must satisfy regular expression pattern: "
LONGEST_WITHOUT_LIMIT = 2048
"""A value whose shape has a pattern but no greatest length: an ARN or an id, which are never longer."""
LONGEST_BY_SHAPE = {"unrestrictedSessionPolicyDocumentType": 20_000, "PolicyContent": 50_000}
"""What may be longer: a session policy, limited by the token's size, and an organization's policy, limited by its type.

The pattern of both is one set of characters.
"""


@dataclass(frozen=True, slots=True)
class Violation:
    """One limit that a value breaks."""

    field: str
    """The way to the value as AWS writes it: `tags.1.member.key`."""
    value: str | None
    """As AWS would print it, in its quotes; None where it may not be told."""
    constraint: str
    kind: str
    """`required`, `minimum`, `maximum`, `least`, `greatest`, `pattern` or `enum`."""

    @property
    def text(self) -> str:
        """Return the sentence in which AWS names the limit and what broke it."""
        value = "Value at" if self.value is None else f"Value {self.value} at"
        return f"{value} '{self.field}' failed to satisfy constraint: {self.constraint}"


def violations(shape: Shape, parameters: Mapping[str, object]) -> list[Violation]:
    """Return the limits of a structure that its members break, in the model's order; nothing where all is well."""
    found: list[Violation] = []
    for name, is_required, check, way in _members(shape):
        value = parameters.get(name)
        if value is not None:
            if check is not None:
                check(value, way, found)
        elif is_required:
            found.append(_missing(way))
    return found[:MOST_VIOLATIONS]


@cache
def _members(shape: Shape) -> tuple[tuple[str, bool, Check | None, Way], ...]:
    return tuple(
        (name, name in shape.required, _check(member), (None, lower_camel(name))) for name, member in shape.members.items()
    )


def _missing(way: Way) -> Violation:
    return Violation(_written(way), "null", "Member must not be null", "required")


def _written(way: Way) -> str:
    parts: list[str] = []
    step: Way | None = way
    while step is not None:
        step, part = step
        parts.append(part)
    return ".".join(reversed(parts))


def _check(member: Member) -> Check | None:
    shape = member.shape
    if shape.document:
        return _document
    match shape.type:
        case "structure":
            return _structure(shape)
        case "list":
            return _list(shape)
        case "map":
            return _map(shape)
        case "string" if shape.enum or shape.pattern or _has_limits(shape):
            return _string(shape)
        case "string":
            return _unlimited
        case "blob" if _has_limits(shape):
            return _sized(shape)
        case "integer" | "long" | "float" | "double" if _has_limits(shape):
            return _number(shape)
        case _:
            return None


def _has_limits(shape: Shape) -> bool:
    return shape.minimum is not None or shape.maximum is not None


# Scalars.


def _unlimited(value: Any, way: Way, found: list[Violation]) -> None:
    """Refuse U+0000 in texts that the model leaves open: PostgreSQL keeps none, and it ends strings for many readers."""
    if "\x00" in value:
        found.append(Violation(_written(way), None, f"{PATTERN_SENTENCE}[^\\u0000]*", "pattern"))


def _document(value: Any, way: Way, found: list[Violation]) -> None:
    """Refuse U+0000 anywhere in a document, whose form nothing else says; the decoder has bounded how deep it nests."""
    match value:
        case str():
            _unlimited(value, way, found)
        case dict():
            for key, each in value.items():
                _unlimited(key, way, found)
                _document(each, way, found)
        case list():
            for each in value:
                _document(each, way, found)


def _string(shape: Shape) -> Check:
    least, greatest = int(shape.minimum or 0), shape.maximum
    allowed = frozenset(shape.enum)
    matches = compile_pattern(shape.pattern) if shape.pattern else None
    matches_anything = matches is None or matches("a\x00a")
    longest = LONGEST_BY_SHAPE.get(shape.name, LONGEST_WITHOUT_LIMIT) if greatest is None else greatest

    def check_string(value: Any, way: Way, found: list[Violation]) -> None:
        length = len(value)
        if matches is not None and (length > longest or not matches(value)) and (greatest is None or length <= greatest):
            found.append(_violation(shape, value, way, "pattern"))
        if length < least:
            found.append(_violation(shape, value, way, "minimum"))
        elif greatest is not None and length > greatest:
            found.append(_violation(shape, value, way, "maximum"))
        if allowed and value not in allowed:
            found.append(_violation(shape, value, way, "enum"))
        if not allowed and matches_anything and "\x00" in value:
            _unlimited(value, way, found)

    return check_string


def _sized(shape: Shape) -> Check:
    least, greatest = shape.minimum, shape.maximum

    def check_size(value: Any, way: Way, found: list[Violation]) -> None:
        if least is not None and len(value) < least:
            found.append(_violation(shape, value, way, "minimum"))
        if greatest is not None and len(value) > greatest:
            found.append(_violation(shape, value, way, "maximum"))

    return check_size


def _number(shape: Shape) -> Check:
    least, greatest = shape.minimum, shape.maximum

    def check_number(value: Any, way: Way, found: list[Violation]) -> None:
        if least is not None and value < least:
            found.append(_violation(shape, value, way, "least"))
        if greatest is not None and value > greatest:
            found.append(_violation(shape, value, way, "greatest"))

    return check_number


def _violation(shape: Shape, value: object, way: Way, kind: str) -> Violation:
    return Violation(_written(way), _echo(shape, value), _constraint(shape, kind), kind)


def _constraint(shape: Shape, kind: str) -> str:
    match kind:
        case "minimum":
            return f"Member must have length greater than or equal to {int(shape.minimum or 0)}"
        case "maximum":
            return f"Member must have length less than or equal to {shape.maximum}"
        case "least":
            return f"Member must have value greater than or equal to {shape.minimum}"
        case "greatest":
            return f"Member must have value less than or equal to {shape.maximum}"
        case "pattern":
            return f"{PATTERN_SENTENCE}{shape.pattern}"
        case _:
            return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


# Structures, lists and maps.


def _structure(shape: Shape) -> Check:
    def check_structure(value: Any, way: Way, found: list[Violation]) -> None:
        if shape.union and len(value) != 1:
            found.append(Violation(_written(way), None, "Exactly one member must be set", "required"))
        for name, is_required, check, (_, written) in _members(shape):
            part = value.get(name)
            if part is not None:
                if check is not None:
                    check(part, (way, written), found)
            elif is_required:
                found.append(_missing((way, written)))

    return check_structure


def _list(shape: Shape) -> Check:
    check_size = _sized(shape)
    element = shape.element
    check_element = _late(element)
    is_scalar = element.shape.type not in ("structure", "list", "map")
    # Lists with limits of their own say so of absent elements, too (seen on AWS: `tagKeys` does, `clientIDList` doesn't).
    constraints = _all_constraints(element.shape)[: None if _has_limits(shape) else -1]
    sentence = f"Member must satisfy constraint: [{', '.join(constraints)}]"

    def check_list(value: Any, way: Way, found: list[Violation]) -> None:
        check_size(value, way, found)
        if is_scalar:
            if _breaks_any(check_element, value, found):
                found.append(Violation(_written(way), _echo(shape, value), sentence, _kind_of(check_element, value)))
            return
        for index, each in enumerate(value, start=1):
            if len(found) >= MOST_VIOLATIONS:
                return
            here = ((way, str(index)), "member")
            if each is None:
                found.append(_missing(here))
            else:
                check_element(each, here, found)

    return check_list


def _map(shape: Shape) -> Check:
    check_size = _sized(shape)
    key, value_member = shape.entry
    check_key, check_value = _late(key), _late(value_member)
    is_scalar = value_member.shape.type not in ("structure", "list", "map")
    of_keys = f"Map keys must satisfy constraint: [{', '.join(_all_constraints(key.shape))}]"
    of_values = f"Map value must satisfy constraint: [{', '.join(_all_constraints(value_member.shape))}]"

    def check_map(value: Any, way: Way, found: list[Violation]) -> None:
        check_size(value, way, found)
        if _breaks_any(check_key, value, found):
            found.append(Violation(_written(way), _echo(shape, value), of_keys, _kind_of(check_key, value)))
        if is_scalar:
            if _breaks_any(check_value, value.values(), found):
                kind = _kind_of(check_value, value.values())
                found.append(Violation(_written(way), _echo(shape, value), of_values, kind))
            return
        for each_key, each in value.items():
            if len(found) >= MOST_VIOLATIONS:
                return
            here = ((way, each_key[:LONGEST_ECHO]), "member")
            if each is None:
                found.append(_missing(here))
            else:
                check_value(each, here, found)

    return check_map


_NOWHERE: Way = (None, "")


def _breaks_any(check: Check, values: Any, found: list[Violation]) -> bool:
    """Tell whether any of a list's or map's scalars breaks a limit; AWS then says so once, for all of them."""
    return len(found) < MOST_VIOLATIONS and any(_first(check, each) is not None for each in values)


def _kind_of(check: Check, values: Any) -> str:
    return next(first.kind for first in (_first(check, each) for each in values) if first is not None)


def _first(check: Check, value: object) -> Violation | None:
    if value is None:
        return _missing(_NOWHERE)
    broken: list[Violation] = []
    check(value, _NOWHERE, broken)
    return broken[0] if broken else None


def _late(member: Member) -> Check:
    """Return a check that is compiled when first used: a list's element may be the shape that holds the list."""

    @cache
    def compiled() -> Check | None:
        return _check(member)

    def check_late(value: Any, way: Way, found: list[Violation]) -> None:
        check = compiled()
        if check is not None:
            check(value, way, found)

    return check_late


def _all_constraints(shape: Shape) -> list[str]:
    """Return everything that AWS says about a list's or map's scalars when one of them is wrong."""
    is_number = shape.type in ("integer", "long", "float", "double")
    kinds = []
    if shape.maximum is not None:
        kinds.append("greatest" if is_number else "maximum")
    if shape.minimum is not None:
        kinds.append("least" if is_number else "minimum")
    if shape.pattern is not None:
        kinds.append("pattern")
    if shape.enum:
        kinds.append("enum")
    return [*(_constraint(shape, kind) for kind in kinds), "Member must not be null"]


# What a message may say of a value.


def _echo(shape: Shape, value: object) -> str | None:
    """Return a value as Java prints it, in quotes and cut off; None where the model calls any part of it sensitive."""
    if _is_sensitive(shape):
        return None
    printed = _printed(value)
    return f"'{printed if len(printed) <= LONGEST_ECHO else printed[:LONGEST_ECHO] + '...'}'"


def _printed(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}={_printed(each)}" for key, each in list(value.items())[:LONGEST_ECHO]) + "}"
        case list():
            return "[" + ", ".join(_printed(each) for each in value[:LONGEST_ECHO]) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case bytes():
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


@cache
def _is_sensitive(shape: Shape) -> bool:
    return _holds_sensitive(shape, frozenset())


def _holds_sensitive(shape: Shape, above: frozenset[Shape]) -> bool:
    if shape.sensitive:
        return True
    if shape in above:
        return False
    places = [*shape.members.values(), *(each for each in (shape.member, shape.key, shape.value) if each)]
    return any(_holds_sensitive(place.shape, above | {shape}) for place in places)
