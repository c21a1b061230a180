"""Parameters of REST requests: from the path, the query string, headers and the body, by the input shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from crownkeep import errors
from crownkeep.gateway import form, json_input, scalars
from crownkeep.gateway.bounds import CALLERS, Bounds
from crownkeep.models import Member, OperationModel, Shape

Text = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Where an input's members come from, each with its reader."""

    labels: tuple[tuple[Member, Text], ...]
    query: Mapping[str, tuple[Member, Text]]
    query_map: Member | None
    """The map that takes every query parameter (Smithy 2.0, "httpQueryParams trait")."""
    headers: tuple[tuple[Member, str, Text], ...]
    header_prefixes: tuple[tuple[Member, str], ...]
    payload: Member | None
    has_body: bool


def decode(
    operation: OperationModel,
    *,
    labels: Mapping[str, str],
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    bounds: Bounds = CALLERS,
) -> dict[str, object]:
    """Return the operation's parameters by the model's member names.

    `labels` are the path's parts still percent-encoded, `query` the raw query string, `headers` have lower case names.
    Raises SerializationException or MalformedQueryString for what can't be read.
    """
    if operation.input is None:
        return {}
    plan = _plan(operation.input)
    parameters: dict[str, object] = {}
    is_text = plan.payload is not None and plan.payload.shape.type in ("blob", "string")
    if body and operation.service.protocol == "rest-xml" and (plan.payload or plan.has_body) and not is_text:
        raise errors.SerializationException("a body in XML is not read: no operation that is served here has one")
    if plan.payload is not None:
        parameters.update(_payload(plan.payload, body, bounds))
    elif plan.has_body and body:
        parameters.update(json_input.decode(operation.input, body, bounds=bounds))
    for member, read in plan.labels:
        # The path's labels are matched while they are still encoded: an encoded slash is a part of a name and no separator.
        parameters[member.name] = _read(member, read, _unescape_label(labels[member.wire_name]))
    if query and (plan.query or plan.query_map):
        _take_query(plan, form.read_pairs(query.encode("latin-1", "replace"), most=bounds.elements), parameters)
    for member, name, read in plan.headers:
        if name in headers:
            parameters[member.name] = _read(member, read, headers[name].strip())
    # Headers of a prefix are S3's metadata: their names are open, and so is the map.
    for member, prefix in plan.header_prefixes:
        parameters[member.name] = {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}
    return parameters


@cache
def _plan(shape: Shape) -> _Plan:
    members = shape.members.values()
    queried = [member for member in members if member.location == "querystring"]
    return _Plan(
        labels=tuple((member, _reader(member)) for member in members if member.location == "uri"),
        query={member.wire_name: (member, _reader(member)) for member in queried if member.shape.type != "map"},
        query_map=next((member for member in queried if member.shape.type == "map"), None),
        headers=tuple(
            (member, member.wire_name.lower(), _header_reader(member)) for member in members if member.location == "header"
        ),
        header_prefixes=tuple(
            (member, (member.location_name or "").lower()) for member in members if member.location == "headers"
        ),
        payload=shape.members[shape.payload] if shape.payload else None,
        has_body=any(member.location is None for member in members),
    )


def _payload(member: Member, body: bytes, bounds: Bounds) -> Mapping[str, object]:
    if not body:
        return {}
    match member.shape.type:
        case "blob":
            return {member.name: body}
        case "string":
            try:
                return {member.name: scalars.read_string(body.decode())}
            except ValueError as error:
                raise errors.SerializationException("the body is not text in UTF-8") from error
        case _:
            return {member.name: json_input.decoder(member)(json_input.read_json(body, most=bounds.elements))}


def _take_query(plan: _Plan, pairs: Iterable[tuple[str, str]], parameters: dict[str, object]) -> None:
    every: dict[str, list[str]] = {}
    listed: dict[str, list[object]] = {}
    # Repeated parameters are a list where the model says so, and an error otherwise: two readers must not choose differently.
    for name, text in pairs:
        every.setdefault(name, []).append(text)
        found = plan.query.get(name)
        if found is None:
            continue
        member, read = found
        value = _read(member, read, text)
        if member.shape.type == "list":
            parameters[member.name] = listed.setdefault(member.name, [])
            listed[member.name].append(value)
        elif member.name in parameters:
            raise errors.SerializationException(f"the parameter `{member.wire_name}` is given twice: give it once")
        else:
            parameters[member.name] = value
    if plan.query_map is not None and every:
        takes_lists = plan.query_map.shape.entry[1].shape.type == "list"
        parameters[plan.query_map.name] = {name: texts if takes_lists else texts[0] for name, texts in every.items()}


def _reader(member: Member) -> Text:
    """Return the reader of one text: of the member itself, or of a list's element."""
    shape = member.shape.element.shape if member.shape.type == "list" else member.shape
    return scalars.READERS[shape.type]


def _header_reader(member: Member) -> Text:
    if member.jsonvalue:
        return _json_header
    if member.shape.type == "list":
        return _list_header(member.shape.element.shape.type)
    return _reader(member)


def _json_header(text: str) -> object:
    return json_input.read_json(scalars.read_blob(text))


def _list_header(element: str) -> Text:
    read = scalars.READERS[element]
    # An HTTP date has a comma in it.
    split = _split_dates if element == "timestamp" else _split_list

    def read_list(text: str) -> object:
        return [read(part) for part in split(text)]

    return read_list


def _split_dates(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not text.endswith("GMT"):
        return parts
    # Each HTTP date has one comma, after the name of its day.
    return [f"{day}, {rest}" for day, rest in zip(parts[::2], parts[1::2], strict=False)]


def _split_list(text: str) -> list[str]:
    """Split a header's list, whose elements may be quoted (RFC 9110, 5.6.4)."""
    parts: list[str] = []
    position, end = 0, len(text)
    while position < end:
        while position < end and text[position] in " \t,":
            position += 1
        if position < end and text[position] == '"':
            position, part = _quoted(text, position + 1)
            parts.append(part)
        elif position < end:
            stop = text.find(",", position)
            stop = end if stop < 0 else stop
            parts.append(text[position:stop].strip())
            position = stop
    return parts


def _quoted(text: str, position: int) -> tuple[int, str]:
    part: list[str] = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\":
            position += 1
        part.append(text[position : position + 1])
        position += 1
    return position + 1, "".join(part)


def _unescape_label(text: str) -> str:
    try:
        return form.unescape(text.encode("latin-1", "replace"))
    except ValueError as error:
        raise errors.SerializationException("the path is not percent-encoded UTF-8") from error


def _read(member: Member, read: Text, text: str) -> object:
    try:
        return read(text)
    except ValueError as error:
        raise errors.SerializationException(f"`{member.wire_name}` must be a {member.shape.type}") from error
