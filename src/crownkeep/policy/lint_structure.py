"""Lint of documents that do not parse: which element is wrong, and where, by Access Analyzer's issue codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crownkeep.policy.operators import is_operator
from crownkeep.policy.positions import Path, Position, Span, locate
from crownkeep.policy.remarks import Location, Remark, Severity

_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_COMBINATIONS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_TEXTS = ("Action", "NotAction", "Resource", "NotResource")


def structure_remarks(text: str) -> list[Remark]:
    """Why a text is no policy document, element by element; never empty for a text that parse refuses."""
    try:
        tree = json.loads(text, parse_int=_any_number, parse_float=_any_number)
    except RecursionError:
        return [_syntax_error("The policy nests too deeply.", text, 0)]
    except ValueError as error:
        return [_json_error(text, error)]
    if not isinstance(tree, dict):
        return [_syntax_error("The policy must be a JSON object.", text, 0)]
    found = list(_Structure(text).remarks(tree))
    return found or [_syntax_error("The policy has repeated keys or characters that cannot be stored.", text, 0)]


def _any_number(text: str) -> int:
    """A number's type matters here, its size never: a huge one is not worth converting."""
    return 0


def _json_error(text: str, error: ValueError) -> Remark:
    offset = error.pos if isinstance(error, json.JSONDecodeError) else 0
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1)
    details = f"Fix the JSON syntax error at index {offset} line {line} column {column}."
    return _syntax_error(details, text, offset)


def _syntax_error(details: str, text: str, offset: int) -> Remark:
    line = text.count("\n", 0, offset) + 1
    at = Position(line, offset - (text.rfind("\n", 0, offset) + 1), offset)
    return Remark(Severity.ERROR, "JSON_SYNTAX_ERROR", details, (Location((), Span(at, at)),))


class _Structure:
    """A walk over a JSON tree that is no policy, keeping the text to say where."""

    def __init__(self, text: str) -> None:
        self._spans = locate(text)

    def _remark(self, code: str, details: str, *paths: Path) -> Remark:
        locations = tuple(Location(path, self._spans[path]) for path in paths)
        return Remark(Severity.ERROR, code, details, locations)

    def remarks(self, tree: dict[str, Any]) -> Iterator[Remark]:
        yield from self._unknown_elements(tree, _TOP, ())
        if "Version" in tree and tree["Version"] not in ("2008-10-17", "2012-10-17"):
            details = "The version specified in the policy is not valid. Use 2012-10-17 or 2008-10-17."
            yield self._remark("INVALID_VERSION", details, ("Version",))
        if "Id" in tree and not isinstance(tree["Id"], str):
            yield self._mismatch("string", ("Id",))
        statements = tree.get("Statement")
        if statements is None or statements == []:
            yield self._remark("MISSING_STATEMENT", "Add a statement to the policy.", ())
        elif isinstance(statements, list):
            for index, statement in enumerate(statements):
                yield from self._statement(statement, ("Statement", index))
        else:
            yield from self._statement(statements, ("Statement",))

    def _unknown_elements(self, tree: dict[str, Any], known: tuple[str, ...], path: Path) -> Iterator[Remark]:
        for element in tree:
            if element not in known:
                details = f"The policy element {element} is not valid."
                yield self._remark("INVALID_POLICY_ELEMENT", details, (*path, element))

    def _mismatch(self, expected: str, path: Path) -> Remark:
        details = f"The text does not match the expected JSON data type {expected}."
        return self._remark("DATA_TYPE_MISMATCH", details, path)

    def _statement(self, statement: Any, path: Path) -> Iterator[Remark]:
        if not isinstance(statement, dict):
            yield self._mismatch("object", path)
            return
        yield from self._unknown_elements(statement, _ELEMENTS, path)
        for one, other in _COMBINATIONS:
            if one in statement and other in statement:
                details = f"The policy elements {one} and {other} can not be used in the same statement."
                yield self._remark("UNSUPPORTED_ELEMENT_COMBINATION", details, (*path, one), (*path, other))
        effect = statement.get("Effect")
        if effect is None:
            yield self._remark("MISSING_EFFECT", "Add an Effect element with the value Allow or Deny.", path)
        elif effect not in ("Allow", "Deny"):
            details = f"The effect {effect} is not valid. Use Allow or Deny."
            yield self._remark("INVALID_EFFECT", details, (*path, "Effect"))
        if "Sid" in statement and not isinstance(statement["Sid"], str):
            yield self._mismatch("string", (*path, "Sid"))
        for element in ("Principal", "NotPrincipal"):
            if element in statement and statement[element] != "*" and not isinstance(statement[element], dict):
                details = "The Principal element contents are not valid. Specify a key-value pair in the Principal element."
                yield self._remark("INVALID_PRINCIPAL_FORMAT", details, (*path, element))
        for element in _TEXTS:
            if element in statement and not _is_text_or_texts(statement[element]):
                yield self._mismatch("string or list of strings", (*path, element))
        yield from self._condition(statement.get("Condition", {}), (*path, "Condition"))

    def _condition(self, block: Any, path: Path) -> Iterator[Remark]:
        if not isinstance(block, dict):
            yield self._mismatch("object", path)
            return
        for operator, keys in block.items():
            if not isinstance(keys, dict):
                yield self._mismatch("object", (*path, operator))
            elif keys and operator.endswith("NullIfExists"):
                details = "The Null condition operator doesn't work with IfExists. Use one of them."
                yield self._remark("NULL_WITH_IF_EXISTS", details, (*path, operator))
            elif keys and not is_operator(operator):
                details = f"The condition operator {operator} is not valid. Use a valid condition operator."
                yield self._remark("INVALID_CONDITION_OPERATOR", details, (*path, operator))


def _is_text_or_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
