"""A policy document as values: statements, conditions and where each stands in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from crownkeep.policy.positions import Path, Span, locate


class MalformedPolicy(Exception):
    """The document is not a policy; the message is AWS's own text for the fault."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NoStatements(MalformedPolicy):
    """The list of statements is empty: of a trust policy AWS says so in other words."""


class PolicyKind(Enum):
    """What a document is attached to, which decides the grammar it must keep."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SERVICE_CONTROL = "service control"
    RESOURCE_CONTROL = "resource control"


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a Condition block: an operator, a context key and the values it may have."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element; `everyone` is the bare `"*"`, `named` holds (type, value) pairs in order."""

    everyone: bool
    named: tuple[tuple[str, str], ...]
    has_types: bool = False
    """Whether a type stands there, be it with an empty list."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; an element that is absent is None, an empty list is an empty tuple."""

    index: int
    sid: str | None
    effect: str
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principal: Principals | None
    not_principal: Principals | None
    conditions: tuple[Condition, ...]

    @property
    def allows(self) -> bool:
        """Whether the effect is Allow."""
        return self.effect == "Allow"


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed policy; `text` is kept byte for byte, because that is what is stored and what positions refer to."""

    text: str
    version: str | None
    id: str | None
    statements: tuple[Statement, ...]
    statement_is_list: bool
    _spans: list[dict[Path, Span]] = field(default_factory=list, compare=False, repr=False)

    @property
    def spans(self) -> dict[Path, Span]:
        """Where every value stands, by its path, such as `("Statement", 0, "Action", 1)`; found on first use."""
        if not self._spans:
            self._spans.append(locate(self.text))
        return self._spans[0]

    def statement_path(self, statement: Statement) -> Path:
        """The path of a statement in this document."""
        return ("Statement", statement.index) if self.statement_is_list else ("Statement",)

    def statement_span(self, statement: Statement) -> Span:
        """Where a statement's object starts and ends."""
        return self.spans[self.statement_path(statement)]

    @property
    def expands_variables(self) -> bool:
        """Whether `${...}` is a variable: only in version 2012-10-17 (IAM JSON policy elements: Version)."""
        return self.version == "2012-10-17"
