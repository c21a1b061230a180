"""Returns in JSON: values turned, by the model, into what JSON can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import msgspec

from crownkeep.gateway import scalars
from crownkeep.models import Member, Shape

# Values at the wire are whatever handlers answered: the model says what they are.
Convert: TypeAlias = Callable[[Any], Any]


def write_json(content: object) -> bytes:
    """Write one JSON text in UTF-8."""
    return msgspec.json.encode(content)


def convert(shape: Shape, content: Mapping[str, object]) -> dict[str, object]:
    """Return a structure's body members by wire name; absent ones and those that travel elsewhere are left out."""
    converted: dict[str, object] = {}
    for name, wire_name, change in _members(shape):
        value = content.get(name)
        if value is not None:
            converted[wire_name] = value if change is None else change(value)
    return converted


@cache
def _members(shape: Shape) -> tuple[tuple[str, str, Convert | None], ...]:
    return tuple(
        (member.name, member.wire_name, converter(member)) for member in shape.members.values() if member.location is None
    )


def converter(member: Member) -> Convert | None:
    """Return what changes a value for JSON, or None where nothing is to be changed."""
    shape = member.shape
    if shape.document:
        return None
    match shape.type:
        case "structure":
            return lambda value: convert(shape, value)
        case "list":
            return _list(shape.element)
        case "map":
            return _map(shape)
        case "string" if member.jsonvalue:
            return lambda value: write_json(value).decode()
        case "timestamp":
            return _timestamp(member)
        case "blob":
            return scalars.write_blob
        case "float" | "double":
            return _float
        case _:
            return None


def _list(element: Member) -> Convert:
    change_element = _late(element)

    def change(value: Any) -> Any:
        return [None if each is None else change_element(each) for each in value]

    return change


def _map(shape: Shape) -> Convert:
    change_value = _late(shape.entry[1])

    def change(value: Any) -> Any:
        return {key: None if each is None else change_value(each) for key, each in value.items()}

    return change


def _late(member: Member) -> Convert:
    """Return a converter that is compiled when first used: a list's element may be the shape that holds the list."""

    @cache
    def compiled() -> Convert:
        return converter(member) or _same

    return lambda value: compiled()(value)


def _same(value: Any) -> Any:
    return value


def _timestamp(member: Member) -> Convert:
    chosen = member.timestamp_format or member.shape.timestamp_format or "unixTimestamp"
    return scalars.epoch_seconds if chosen == "unixTimestamp" else scalars.TIMESTAMP_WRITERS[chosen]


def _float(value: Any) -> Any:
    written = scalars.write_float(float(value))
    return written if written in ("NaN", "Infinity", "-Infinity") else value
