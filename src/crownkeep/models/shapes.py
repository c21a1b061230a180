"""Shapes of AWS's models: values that refer to one another by name, so that a shape may contain itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")


class Lazy(Mapping[str, V], Generic[R, V]):
    """A mapping whose values are compiled from raw ones when first asked for, and kept."""

    __slots__ = ("_compile", "_compiled", "_raw")

    def __init__(self, raw: Mapping[str, R], compile_value: Callable[[str, R], V]) -> None:
        self._raw = raw
        self._compile = compile_value
        self._compiled: dict[str, V] = {}

    def __getitem__(self, name: str) -> V:
        found = self._compiled.get(name)
        if found is None:
            found = self._compiled[name] = self._compile(name, self._raw[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, name: object) -> bool:
        return name in self._raw


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A place where a shape is used: a structure's member, a list's element, a map's key or value.

    What the place says goes before what the shape says. Compared by identity.
    """

    name: str
    """The model's name of the member; `member`, `key` or `value` in lists and maps."""
    target: str
    """The name of the shape used here."""
    shapes: Mapping[str, Shape] = field(repr=False)
    location_name: str | None
    location: str | None
    """Where REST carries it: `uri`, `querystring`, `header`, `headers`, `statusCode`, or None for the body."""
    flattened: bool
    timestamp_format: str | None
    """`iso8601`, `rfc822`, `unixTimestamp`, or None for the protocol's own."""
    xml_attribute: bool
    xml_namespace: str | None
    jsonvalue: bool
    """Whether the wire carries JSON inside a string (base64 in a header)."""
    streaming: bool
    idempotency_token: bool
    query_name: str | None = None
    """What EC2's requests call it, where that is neither its name on the wire nor the model's."""

    @property
    def shape(self) -> Shape:
        """Return the shape used here, compiled when first asked for."""
        return self.shapes[self.target]

    @property
    def wire_name(self) -> str:
        """Return the name on the wire."""
        return self.location_name or self.name


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One shape of a service's model, with its limits. Compared by identity, for there is one of each per service."""

    name: str
    type: str
    """`structure`, `list`, `map`, `string`, `blob`, `boolean`, `integer`, `long`, `float`, `double` or `timestamp`."""
    members: Mapping[str, Member] = field(repr=False)
    """A structure's members by the model's name, in the model's order."""
    required: tuple[str, ...]
    member: Member | None = field(repr=False)
    key: Member | None = field(repr=False)
    value: Member | None = field(repr=False)
    minimum: float | None
    """Least value of a number, least length of anything else."""
    maximum: float | None
    pattern: str | None
    enum: tuple[str, ...]
    payload: str | None
    """The member that is the whole body of a REST request or answer."""
    timestamp_format: str | None
    flattened: bool
    """Whether XML and forms write a list's or map's entries without an element around them."""
    sensitive: bool
    streaming: bool
    union: bool
    """Exactly one member is set."""
    document: bool
    """Any JSON value whatever."""
    exception: bool
    xml_namespace: str | None = None

    @property
    def element(self) -> Member:
        """Return a list's element; a shape of any other type has none and raises LookupError."""
        if self.member is None:
            raise LookupError(f"`{self.name}` is a {self.type}, not a list")
        return self.member

    @property
    def entry(self) -> tuple[Member, Member]:
        """Return a map's key and value; a shape of any other type has none and raises LookupError."""
        if self.key is None or self.value is None:
            raise LookupError(f"`{self.name}` is a {self.type}, not a map")
        return self.key, self.value
