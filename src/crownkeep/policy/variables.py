"""Templates: policy strings with wildcards and `${...}` variables, cut into literal, wildcard and variable pieces once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Wildcard(Enum):
    """The two wildcards of the policy language."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A `${name}` or `${name, 'default'}`; `key` is the name in lower case, because context key names ignore case."""

    name: str
    key: str
    default: str | None


Piece = str | Wildcard | Variable
Template = tuple[Piece, ...]
Lookup = Callable[[str], "str | tuple[str, ...] | None"]

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DEFAULTED = re.compile(r"\s*([^\s,']+)\s*,\s*'([^']*)'\s*")
_ESCAPES = {"*": "*", "?": "?", "$": "$"}
_WILDCARDS = {"*": Wildcard.MANY, "?": Wildcard.ONE}


def read_template(text: str, *, variables: bool, wildcards: bool) -> Template:
    """Cut a policy string into pieces; with `variables` false (version 2008-10-17) `${...}` stays literal text.

    `${*}`, `${?}` and `${$}` are the literal characters (IAM JSON policy elements: Variables).
    """
    pieces: list[Piece] = []
    if not variables or "${" not in text:
        _add_text(pieces, text, wildcards)
        return tuple(pieces)
    at = 0
    for match in _VARIABLE.finditer(text):
        _add_text(pieces, text[at : match.start()], wildcards)
        _add_variable(pieces, match)
        at = match.end()
    _add_text(pieces, text[at:], wildcards)
    return tuple(pieces)


def _add_text(pieces: list[Piece], text: str, wildcards: bool) -> None:
    if not wildcards or ("*" not in text and "?" not in text):
        _add_literal(pieces, text)
        return
    start = 0
    for at, character in enumerate(text):
        if character in _WILDCARDS:
            _add_literal(pieces, text[start:at])
            wildcard = _WILDCARDS[character]
            if not (wildcard is Wildcard.MANY and pieces and pieces[-1] is Wildcard.MANY):  # "**" says what "*" says
                pieces.append(wildcard)
            start = at + 1
    _add_literal(pieces, text[start:])


def _add_literal(pieces: list[Piece], text: str) -> None:
    if not text:
        return
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] += text
    else:
        pieces.append(text)


def _add_variable(pieces: list[Piece], match: re.Match[str]) -> None:
    inner = match[1]
    if inner in _ESCAPES:
        _add_literal(pieces, inner)
        return
    defaulted = _DEFAULTED.fullmatch(inner)
    if defaulted:
        pieces.append(Variable(defaulted[1], defaulted[1].lower(), defaulted[2]))
    else:
        # An unknown or empty name is kept: it expands to nothing, and so the pattern matches nothing.
        name = inner.strip()
        pieces.append(Variable(name, name.lower(), None))


def variable_keys(template: Template) -> tuple[str, ...]:
    """The context keys a template asks for, as it spells them."""
    return tuple(piece.name for piece in template if isinstance(piece, Variable))


def is_static(template: Template) -> bool:
    """Whether the template means the same for every request."""
    return not any(isinstance(piece, Variable) for piece in template)


def expand(template: Template, lookup: Lookup, *, longest: int) -> Template | None:
    """Put the request's values in place of the variables; None when one has no single value and no default.

    None, too, where more than `longest` literal characters come of it: a text of that length can't match it. So many
    variables of long values cost no more than the text that they are compared with.

    A value that is put in is literal: a `*` in a tag's value never becomes a wildcard.
    """
    pieces: list[Piece] = []
    literal: list[str] = []
    # Counted down over all values together, before anything is put together.
    room = longest
    for piece in template:
        if isinstance(piece, Wildcard):
            _add_literal(pieces, "".join(literal))
            literal.clear()
            pieces.append(piece)
            continue
        value = piece if isinstance(piece, str) else _value_of(piece, lookup)
        if value is None:
            return None
        room -= len(value)
        if room < 0:
            return None
        # Collected and joined at the end: adding to a string each time would copy it each time.
        literal.append(value)
    _add_literal(pieces, "".join(literal))
    return tuple(pieces)


def _value_of(variable: Variable, lookup: Lookup) -> str | None:
    value = lookup(variable.key)
    return value if isinstance(value, str) else variable.default  # absent, or multivalued, which never expands


def expand_text(template: Template, lookup: Lookup, *, longest: int) -> str | None:
    """Expand a template that has no wildcards to plain text; None when a variable has no value or the text is too long."""
    pieces = expand(template, lookup, longest=longest)
    return None if pieces is None else "".join(piece for piece in pieces if isinstance(piece, str))
