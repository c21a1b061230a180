"""Parameters in JSON bodies (AWS JSON 1.0 and 1.1, REST JSON), by the operation's input shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache

import msgspec

from crownkeep import errors
from crownkeep.gateway import scalars
from crownkeep.gateway.bounds import CALLERS, Bounds
from crownkeep.models import Member, Shape

Decode = Callable[[object], object]

DEEPEST_NESTING = 64
"""Lists and objects inside one another; a bound for everything that walks parameters later."""

# Possessive, and content with a string that never ends: each byte is looked at once, whatever is sent.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def read_json(body: bytes, *, most: int = CALLERS.elements) -> object:
    """Read one JSON text of at most so many elements, no deeper than `DEEPEST_NESTING`; raises SerializationException."""
    # Elements are counted in the raw bytes: parsing a mebibyte of `[],[],` takes a third of a second, in which nobody else is
    # served.
    if _elements(body, most) > most:
        raise errors.SerializationException(f"the body has more than {most:,} elements")
    try:
        content: object = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise errors.SerializationException("the body is not valid JSON in UTF-8") from error
    # Only a text with enough brackets can nest so deep; the walk is spared for all others.
    if body.count(b"[") + body.count(b"{") > DEEPEST_NESTING and _is_deeper_than(content, DEEPEST_NESTING):
        raise errors.SerializationException(f"the body nests deeper than {DEEPEST_NESTING} levels")
    return content


def _elements(body: bytes, most: int) -> int:
    """Count what a JSON text would be made of, before anything is made; where there can't be too many, count too many."""
    count = _marks(body)
    # The quick count includes what stands inside of strings. Only where that is too much, strings are taken out and it is
    # counted properly.
    return count if count <= most else _marks(_STRING.sub(b"", body))


def _marks(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _is_deeper_than(content: object, levels: int) -> bool:
    # Level by level and not recursively: the depth is what is being tested.
    layer = [content]
    for _ in range(levels + 1):
        children: list[object] = []
        for each in layer:
            if isinstance(each, dict):
                children.extend(each.values())
            elif isinstance(each, list):
                children.extend(each)
        if not children:
            return False
        layer = children
    return True


def decode(shape: Shape, body: bytes, *, bounds: Bounds = CALLERS) -> dict[str, object]:
    """Return a structure's members by the model's names; members it doesn't know are passed over, as by AWS.

    An empty body is an empty object. Raises SerializationException.
    """
    content = read_json(body, most=bounds.elements) if body else {}
    if not isinstance(content, dict):
        raise errors.SerializationException("the body must be a JSON object")
    return decode_object(shape, content)


def decode_object(shape: Shape, content: Mapping[str, object]) -> dict[str, object]:
    """Return a structure's members by the model's names, from an object that is read already."""
    fields = _fields(shape)
    found: dict[str, object] = {}
    for name, value in content.items():
        field = fields.get(name)
        # Null is absent, as by AWS's own JSON parsers: a member that is null was not given.
        if field is not None and value is not None:
            found[field[0]] = field[1](value)
    return found


@cache
def _fields(shape: Shape) -> dict[str, tuple[str, Decode]]:
    return {member.wire_name: (member.name, decoder(member)) for member in shape.members.values() if member.location is None}


def decoder(member: Member) -> Decode:
    """Return the decoder of one place; compiled deeper only when used, since a shape may hold itself."""
    shape = member.shape
    if shape.document:
        return _any
    match shape.type:
        case "structure":
            return lambda value: decode_object(shape, _object(value))
        case "list":
            return _list(shape)
        case "map":
            return _map(shape)
        case "string" if member.jsonvalue:
            return _json_value
        case "float" | "double":
            return _float
        case other:
            return _SCALARS[other]


def _list(shape: Shape) -> Decode:
    element = _late(shape.element)

    def decode_list(value: object) -> object:
        if not isinstance(value, list):
            raise errors.SerializationException("Expected list or null")
        # A list keeps its nulls: what they mean is for validation, which knows the model's sparse lists.
        return [None if each is None else element(each) for each in value]

    return decode_list


def _map(shape: Shape) -> Decode:
    value_decoder = _late(shape.entry[1])

    def decode_map(value: object) -> object:
        return {_string(key): None if each is None else value_decoder(each) for key, each in _object(value).items()}

    return decode_map


def _late(member: Member) -> Decode:
    @cache
    def compiled() -> Decode:
        return decoder(member)

    return lambda value: compiled()(value)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        kind = "list" if isinstance(value, list) else _kind(value)
        raise errors.SerializationException(
            "Start of list found where not expected" if kind == "list" else f"{kind} can not be converted to a structure"
        )
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _mismatch(value, "String")
    if "\0" in value:
        raise errors.SerializationException("a string holds a null character: leave it out")
    return value


def _integer(value: object) -> object:
    return _integer_within(scalars.INTEGER_RANGE, value, "an Integer")


def _long(value: object) -> object:
    return _integer_within(scalars.LONG_RANGE, value, "a Long")


def _integer_within(allowed: range, value: object, name: str) -> int:
    # `1.0` is the integer 1: JavaScript clients can't tell them apart.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # In Python a bool is an int, and `true` must not pass as 1.
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise _mismatch(value, name)
    return value


def _float(value: object) -> object:
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return scalars.read_float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(value, "a Double")
    try:
        # An integer of four hundred digits has no double.
        return float(value)
    except OverflowError as error:
        raise _mismatch(value, "a Double") from error


def _boolean(value: object) -> object:
    if not isinstance(value, bool):
        raise _mismatch(value, "a Boolean")
    return value


def _blob(value: object) -> object:
    try:
        return scalars.read_blob(_string(value))
    except ValueError as error:
        raise errors.SerializationException("a blob must be base64") from error


def _timestamp(value: object) -> datetime:
    try:
        if isinstance(value, str):
            return scalars.read_timestamp(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return scalars.read_epoch(value)
    except ValueError as error:
        raise _mismatch(value, "a Timestamp") from error
    raise _mismatch(value, "a Timestamp")


def _json_value(value: object) -> object:
    return read_json(_string(value).encode())


def _any(value: object) -> object:
    return value


_SCALARS: dict[str, Decode] = {
    "string": _string,
    "integer": _integer,
    "long": _long,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _mismatch(value: object, wanted: str) -> errors.SerializationException:
    """Say what was found where something else was wanted, in AWS's words and without the value."""
    if isinstance(value, dict):
        return errors.SerializationException("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return errors.SerializationException("Start of list found where not expected")
    return errors.SerializationException(f"{_kind(value)} can not be converted to {wanted}")


def _kind(value: object) -> str:
    match value:
        case True:
            return "TRUE_VALUE"
        case False:
            return "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case None:
            return "NULL_VALUE"
        case _:
            return "NUMBER_VALUE"
