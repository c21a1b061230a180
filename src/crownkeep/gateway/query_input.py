"""Parameters of query requests (`Tags.member.1.Key=...`), by the operation's input shape.

Names are split into a tree first and the shapes walk that tree, so only what was sent is ever visited: a recursive shape ends
where the request ends, and a list of one element costs one element whatever its index says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from crownkeep import errors
from crownkeep.gateway import scalars
from crownkeep.gateway.bounds import CALLERS, Bounds
from crownkeep.models import Member, OperationModel, Shape

Node: TypeAlias = "dict[str, str | Node]"
Decode = Callable[["str | Node"], object]

DEEPEST_NAME = 64
"""Parts of a parameter's name; AWS's deepest shapes need about a dozen."""
_LONGEST_INDEX = 9
_HERE = ""
"""The key of a node's own text, where a parameter has text and children."""


def decode(operation: OperationModel, form: Mapping[str, str], *, bounds: Bounds = CALLERS) -> dict[str, object]:
    """Return the operation's parameters by the model's member names; parameters it doesn't know are passed over, as by AWS.

    Raises MalformedInput for what can't be read.
    """
    if operation.input is None:
        return {}
    fields = _fields(operation.input, _DIALECTS[operation.service.protocol])
    parameters: dict[str, object] = {}
    nested: dict[str, str] = {}
    for name, text in form.items():
        field = fields.get(name)
        if field is not None:
            parameters[field[0]] = field[1](text)
        elif name.partition(".")[0] in fields:
            nested[name] = text
    # Two passes: names without a dot, which are nearly all, never build a tree.
    if nested:
        for name, node in _tree(nested, bounds.elements).items():
            field = fields[name]
            # The same member as a text and as a list: an empty list is allowed, as SDKs send `Tags=` for one.
            if parameters.get(field[0]) not in (None, []):
                raise errors.MalformedInput("Start of list found where not expected")
            parameters[field[0]] = field[1](node)
    return parameters


def _tree(form: Mapping[str, str], most: int) -> Node:
    # Dots are counted over all names before any node is made: a name of a thousand parts costs its sender a kilobyte, and us a
    # thousand dicts.
    if sum(name.count(".") for name in form) > most:
        raise errors.MalformedInput(f"the names of the parameters have more than {most:,} parts")
    root: Node = {}
    for name, text in form.items():
        # Split once more than allowed, so that a longer name shows without being split to its end.
        parts = name.split(".", DEEPEST_NAME)
        if len(parts) > DEEPEST_NAME:
            raise errors.MalformedInput("a parameter's name has too many parts")
        node = root
        for part in parts[:-1]:
            child = node.get(part)
            if child is None:
                child = node[part] = {}
            elif isinstance(child, str):
                # A name that is both a value and a parent keeps its text under the empty key; the decoder says what is wrong
                # with that.
                child = node[part] = {_HERE: child}
            node = child
        last = node.get(parts[-1])
        if isinstance(last, dict):
            last[_HERE] = text
        else:
            node[parts[-1]] = text
    return root


@dataclass(frozen=True, slots=True)
class Dialect:
    """How names are made of members: EC2 has rules of its own, by which every list is flattened."""

    wire_name: Callable[[Member], str]
    is_flattened: Callable[[Member], bool]


@cache
def _fields(shape: Shape, dialect: Dialect) -> dict[str, tuple[str, Decode]]:
    """Return a structure's members by wire name; filled in after it is known, since a shape may hold itself."""
    fields: dict[str, tuple[str, Decode]] = {}
    for member in shape.members.values():
        fields[dialect.wire_name(member)] = (member.name, _decoder(member, dialect))
    return fields


def _wire_name(member: Member) -> str:
    # A flattened list is called as its elements are (the query protocol's `flattened` in botocore's models).
    if _is_flattened(member) and member.shape.type == "list":
        return member.location_name or member.shape.element.location_name or member.name
    return member.wire_name


def _ec2_name(member: Member) -> str:
    name = member.wire_name
    return member.query_name or name[:1].upper() + name[1:]


def _is_flattened(member: Member) -> bool:
    return member.flattened or member.shape.flattened


_DIALECTS = {
    "query": Dialect(_wire_name, _is_flattened),
    "ec2": Dialect(_ec2_name, lambda member: True),
}


def _decoder(member: Member, dialect: Dialect) -> Decode:
    match member.shape.type:
        case "structure":
            return _structure(member.shape, dialect)
        case "list":
            return _list(member, dialect)
        case "map":
            return _map(member, dialect)
        case _:
            return _scalar(member)


def _scalar(member: Member) -> Decode:
    read = scalars.READERS[member.shape.type]
    name = member.name
    complaint = _COMPLAINTS[member.shape.type]

    def decode_scalar(node: str | Node) -> object:
        if isinstance(node, dict):
            raise errors.MalformedInput("Start of list found where not expected")
        try:
            return read(node)
        except ValueError as error:
            raise errors.MalformedInput(complaint.format(name=name)) from error

    return decode_scalar


_COMPLAINTS = {
    "string": "`{name}` holds a null character: leave it out",
    "integer": "`{name}` must be a 32-bit integer",
    "long": "`{name}` must be a 64-bit integer",
    "float": "`{name}` must be a number",
    "double": "`{name}` must be a number",
    "boolean": "`{name}` must be `true` or `false`",
    "blob": "`{name}` must be base64",
    "timestamp": "timestamp must follow ISO8601",
}


def _structure(shape: Shape, dialect: Dialect) -> Decode:
    def decode_structure(node: str | Node) -> object:
        children = _children(node)
        fields = _fields(shape, dialect)
        found: dict[str, object] = {}
        for name, child in children.items():
            field = fields.get(name)
            if field is not None:
                found[field[0]] = field[1](child)
        return found

    return decode_structure


def _list(member: Member, dialect: Dialect) -> Decode:
    element = member.shape.element
    decode_element = _late(element, dialect)
    level = None if dialect.is_flattened(member) else element.location_name or "member"

    def decode_list(node: str | Node) -> object:
        children = _children(node)
        return [decode_element(child) for child in _in_order(_entries(children, level))]

    return decode_list


def _map(member: Member, dialect: Dialect) -> Decode:
    key, value = member.shape.entry
    decode_key, decode_value = _late(key, dialect), _late(value, dialect)
    key_name, value_name = key.location_name or "key", value.location_name or "value"
    level = None if dialect.is_flattened(member) else "entry"

    def decode_map(node: str | Node) -> object:
        found: dict[object, object] = {}
        for entry in _in_order(_entries(_children(node), level)):
            pair = _children(entry)
            if key_name not in pair or value_name not in pair:
                raise errors.MalformedInput("an entry of a map needs a key and a value")
            found[decode_key(pair[key_name])] = decode_value(pair[value_name])
        return found

    return decode_map


def _late(member: Member, dialect: Dialect) -> Decode:
    """Return a decoder that is compiled when first used: the element of a list may be the shape that holds the list."""

    @cache
    def compiled() -> Decode:
        return _decoder(member, dialect)

    return lambda node: compiled()(node)


def _children(node: str | Node) -> Node:
    if isinstance(node, str):
        if node:
            raise errors.MalformedInput("Top level element may not be treated as a list")
        return {}
    if node.get(_HERE):
        raise errors.MalformedInput("Start of list found where not expected")
    return node


def _entries(children: Node, level: str | None) -> Node:
    if level is None:
        return children
    if any(name not in (level, _HERE) for name in children):
        raise errors.MalformedInput("Top level element may not be treated as a list")
    return _children(children.get(level, ""))


def _in_order(entries: Node) -> list[str | Node]:
    """Return entries by their index, gaps closed."""
    indexed: list[tuple[int, str | Node]] = []
    for index, entry in entries.items():
        if index == _HERE and entry == "":
            continue
        # Nine digits at most: `int` takes a text of any length, and a stranger must not choose how much work that is.
        if not (index.isascii() and index.isdigit()) or len(index) > _LONGEST_INDEX:
            raise errors.MalformedInput("an index of a list must be a number")
        indexed.append((int(index), entry))
    indexed.sort(key=lambda pair: pair[0])
    return [entry for _, entry in indexed]
