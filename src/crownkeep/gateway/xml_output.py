"""Answers in XML: one compiled writer per place where a shape is used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, TypeAlias

from crownkeep.columns import Column, Columns, Moments
from crownkeep.gateway import scalars
from crownkeep.models import Member, Shape

Out: TypeAlias = list[str]
# Values at the wire are whatever handlers answered: the model says what they are.
Write: TypeAlias = Callable[[Any, Out], None]

_SPECIAL = re.compile("[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_ELSEWHERE = ("header", "headers", "statusCode")
"""Where REST carries members of an answer that are not in its body."""
_QUOTE = '"'
_NOT_A_CHARACTER = "�"


def escape(text: str) -> str:
    """Make text safe between tags; what XML 1.0 cannot hold becomes U+FFFD (XML 1.0, 2.2)."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], _NOT_A_CHARACTER), text)


def write_members(shape: Shape, content: Mapping[str, object], out: Out) -> None:
    """Write a structure's members in the model's order, absent ones not at all."""
    for name, write in _members(shape):
        value = content.get(name)
        if value is not None:
            write(value, out)


# Compiled once for each shape: what is left for a request is a loop over names and closures.
@cache
def _members(shape: Shape) -> tuple[tuple[str, Write], ...]:
    return tuple(
        (member.name, _writer(member, member.wire_name))
        for member in shape.members.values()
        if member.location not in _ELSEWHERE and not member.xml_attribute
    )


def attributes(shape: Shape, content: Mapping[str, object]) -> str:
    """Return what a structure's start tag holds beside its name: the members that are attributes, and a namespace they need."""
    return "".join(
        f' {name}="{text(content[member]).replace(_QUOTE, "&quot;")}"'
        for member, name, text in _attributes(shape)
        if content.get(member) is not None
    )


@cache
def _attributes(shape: Shape) -> tuple[tuple[str, str, Callable[[Any], str]], ...]:
    return tuple(
        (member.name, member.wire_name, text_writer(member, "iso8601"))
        for member in shape.members.values()
        if member.xml_attribute
    )


def _writer(member: Member, tag: str) -> Write:
    match member.shape.type:
        case "structure":
            return _structure(member, tag)
        case "list":
            return _list(member, tag)
        case "map":
            return _map(member, tag)
        case _:
            return _scalar(text_writer(member, "iso8601"), tag)


def _scalar(text: Callable[[Any], str], tag: str) -> Write:
    start, end = f"<{tag}>", f"</{tag}>"

    def write_scalar(value: Any, out: Out) -> None:
        out.append(f"{start}{text(value)}{end}")

    return write_scalar


def text_writer(member: Member, timestamp_format: str) -> Callable[[Any], str]:
    """Return what turns one scalar into escaped text, timestamps in the model's form or the protocol's."""
    if member.shape.type == "timestamp":
        chosen = member.timestamp_format or member.shape.timestamp_format or timestamp_format
        return scalars.TIMESTAMP_WRITERS[chosen]
    return _TEXTS[member.shape.type]


_TEXTS: dict[str, Callable[[Any], str]] = {
    "string": escape,
    "integer": str,
    "long": str,
    "float": scalars.write_float,
    "double": scalars.write_float,
    "boolean": scalars.write_boolean,
    "blob": scalars.write_blob,
}


def _structure(member: Member, tag: str) -> Write:
    shape = member.shape
    if _attributes(shape):
        return _structure_with_attributes(member, tag)
    start, end, empty = f"<{tag}>", f"</{tag}>", f"<{tag}/>"

    def write_structure(value: Any, out: Out) -> None:
        if not value:
            out.append(empty)
            return
        out.append(start)
        for name, write in _members(shape):
            part = value.get(name)
            if part is not None:
                write(part, out)
        out.append(end)

    return write_structure


def _structure_with_attributes(member: Member, tag: str) -> Write:
    shape = member.shape
    prefix = next((name.partition(":")[0] for _, name, _ in _attributes(shape) if ":" in name), None)
    namespace = f' xmlns:{prefix}="{member.xml_namespace or shape.xml_namespace}"' if prefix else ""

    def write_structure(value: Any, out: Out) -> None:
        out.append(f"<{tag}{namespace}{attributes(shape, value)}>")
        write_members(shape, value, out)
        out.append(f"</{tag}>")

    return write_structure


def _list(member: Member, tag: str) -> Write:
    element = member.shape.element
    if member.flattened or member.shape.flattened:
        flat_tag = member.location_name or element.location_name or member.name
        write_flat = _late(element, flat_tag)

        def write_flattened(value: Any, out: Out) -> None:
            for each in value:
                write_flat(each, out)

        return write_flattened
    start, end, empty = f"<{tag}>", f"</{tag}>", f"<{tag}/>"
    element_tag = element.location_name or "member"
    write_element = _late(element, element_tag)
    write_rows = _rows(element.shape, element_tag)

    def write_list(value: Any, out: Out) -> None:
        if not value:
            out.append(empty)
            return
        out.append(start)
        if write_rows is not None:
            write_rows(value, out, write_element)
        else:
            for each in value:
                write_element(each, out)
        out.append(end)

    return write_list


def _rows(shape: Shape, tag: str) -> Callable[[Any, Out, Write], None] | None:
    """Return a writer of lists of structures, of which a list may hold a thousand: rows of one kind are written by their columns.

    Rows are of one kind that have the same members, all of them scalars. A few rows, and all others, are written one by one.
    """
    if shape.type != "structure" or _attributes(shape):
        return None
    members = {member.name: member for member in shape.members.values() if member.location not in _ELSEWHERE}
    kinds: dict[tuple[str, ...], _Kind | None] = {}

    def write_kind(names: tuple[str, ...], rows: Sequence[Any], columns: Sequence[Column], out: Out, write_row: Write) -> None:
        if names not in kinds and len(kinds) < _MOST_KINDS:
            kinds[names] = _kind(members, names)
        kind = kinds.get(names)
        written = None if kind is None else _by_columns(kind, columns, len(rows), tag)
        if written is not None:
            out.append(written)
            return
        for row in rows:
            write_row(row, out)

    def write_rows(rows: Any, out: Out, write_row: Write) -> None:
        if isinstance(rows, Columns):
            write_kind(rows.names, rows, [rows.of(name) for name in rows.names], out, write_row)
            return
        # Keys in the same order make the same kind; `tuple` of a row is its names.
        for names, same in groupby(rows, tuple):
            listed = list(same)
            if len(listed) < _FEWEST:
                for row in listed:
                    write_row(row, out)
            else:
                write_kind(names, listed, [*zip(*(row.values() for row in listed), strict=True)], out, write_row)

    return write_rows


_MOST_KINDS = 64
"""Sets of members of one shape: handlers make few, whatever is asked."""

_FEWEST = 3
"""Rows of one kind that are worth looking at by columns."""

_Texts: TypeAlias = Callable[[Any], Sequence[str]]
_Kind: TypeAlias = tuple[tuple[int, str, str, _Texts], ...]
"""Of each member, in the model's order: its column's place, its tags, and what makes texts of the column."""


def _kind(members: Mapping[str, Member], names: tuple[str, ...]) -> _Kind | None:
    """Return how rows with these members are written by columns, None where a member is more than a scalar."""
    found = [member for name, member in members.items() if name in names]
    if not found or any(member.shape.type not in _TEXTS and member.shape.type != "timestamp" for member in found):
        return None
    return tuple(
        (names.index(member.name), f"<{member.wire_name}>", f"</{member.wire_name}>", _texts_of(member)) for member in found
    )


def _by_columns(kind: _Kind, columns: Sequence[Column], count: int, tag: str) -> str | None:
    """Return rows as XML, absent members left out; None where each member is absent somewhere, so that a row may be empty."""
    slots: list[str | Sequence[str]] = [f"<{tag}>"]
    is_any_whole = False
    for place, start, end, texts in kind:
        column = columns[place]
        cells = column.kept if isinstance(column, Moments) else column
        if None in cells:
            slots += (_optional(column, cells, start, end, texts), "")
        else:
            slots[-1] = f"{slots[-1]}{start}"
            slots += (texts(column), end)
            is_any_whole = True
    # Every slot is either one text for all rows or a text for each: interleaving them by stride puts the rows together.
    slots[-1] = f"{slots[-1]}</{tag}>"
    width = len(slots)
    parts = [""] * (width * count)
    # One slice assignment for each slot puts texts and columns together: the loop over the rows runs in C.
    for place, slot in enumerate(slots):
        parts[place::width] = [slot] * count if isinstance(slot, str) else slot
    return "".join(parts) if is_any_whole else None


def _optional(column: Column, cells: Column, start: str, end: str, texts: _Texts) -> Sequence[str]:
    """Return the texts of a member that some rows don't have, each with its tags."""
    given = [cell for cell in cells if cell is not None]
    written = iter(texts(Moments(given) if isinstance(column, Moments) else given))  # type: ignore[arg-type]  # as it was
    return ["" if cell is None else f"{start}{next(written)}{end}" for cell in cells]


def _texts_of(member: Member) -> _Texts:
    if member.shape.type == "string":
        return _escape_each
    text = text_writer(member, "iso8601")
    return scalars.write_iso8601_each if text is scalars.write_iso8601 else lambda column: [*map(text, column)]


def _escape_each(texts: Sequence[str]) -> Sequence[str]:
    # The whole column is looked at in one go, by C: most columns have nothing to escape.
    return texts if _is_plain("".join(texts)) else [*map(escape, texts)]


_NOT_PLAIN = bytes([*range(0x20), 0x7F, *b"&<>"])


def _is_plain(text: str) -> bool:
    """Tell whether there is nothing to be escaped; a text that is not ASCII may be told to have something although it hasn't."""
    return text.isascii() and len(text.encode().translate(None, _NOT_PLAIN)) == len(text)


def _map(member: Member, tag: str) -> Write:
    key, value = member.shape.entry
    flattened = member.flattened or member.shape.flattened
    write_key = _late(key, key.location_name or "key")
    write_value = _late(value, value.location_name or "value")
    entry = tag if flattened else "entry"

    def write_map(content: Any, out: Out) -> None:
        if not content:
            out.append("" if flattened else f"<{tag}/>")
            return
        out.append("" if flattened else f"<{tag}>")
        for each_key, each_value in content.items():
            out.append(f"<{entry}>")
            write_key(each_key, out)
            write_value(each_value, out)
            out.append(f"</{entry}>")
        out.append("" if flattened else f"</{tag}>")

    return write_map


def _late(member: Member, tag: str) -> Write:
    """Return a writer that is compiled when first used: a list's element may be the shape that holds the list."""
    compiled: list[Write] = []

    def write(value: Any, out: Out) -> None:
        if not compiled:
            compiled.append(_writer(member, tag))
        compiled[0](value, out)

    return write
