"""From text to a Document: JSON read with bounds, duplicate keys refused, the shape of every element checked."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from crownkeep.policy.document import Condition, Document, MalformedPolicy, NoStatements, Principals, Statement
from crownkeep.policy.operators import is_operator

SYNTAX_ERROR = "Syntax errors in policy."

# A bound on everything after it. IAM's operations accept half of it (policyDocumentType in AWS's model); AWS's own managed
# policies may be longer (AWSSupportServiceRolePolicy).
MAX_CHARACTERS = 262_144

_TOP = frozenset({"Version", "Id", "Statement"})
_VERSIONS = frozenset({"2008-10-17", "2012-10-17"})
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}
)
_EXCLUSIVE = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))


class _Number(str):
    """A JSON number kept as it was written: never converted, so a huge one costs its length only."""

    __slots__ = ()


def parse(text: str) -> Document:
    """Read a policy document's JSON and its shape; raises MalformedPolicy with AWS's text.

    What depends on the kind of policy (principals, actions, ARNs, versions) is validate's part. Time and memory are
    linear in the text, which may have at most MAX_CHARACTERS characters.
    """
    tree = _read_json(text)
    if not isinstance(tree, dict) or not tree.keys() <= _TOP:
        _refuse()
    version = tree.get("Version")
    if "Version" in tree and not (isinstance(version, str) and version in _VERSIONS):
        _refuse()
    policy_id = _optional_string(tree, "Id")
    statements = tree.get("Statement")
    is_list = isinstance(statements, list)
    if not isinstance(statements, list):
        statements = [statements]
    if not statements:
        raise NoStatements(SYNTAX_ERROR)
    return Document(
        text=text,
        version=version,
        id=policy_id,
        statements=tuple(_statement(index, statement) for index, statement in enumerate(statements)),
        statement_is_list=is_list,
    )


def _read_json(text: str) -> Any:
    if len(text) > MAX_CHARACTERS or not _is_storable(text):
        _refuse()
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:  # too deep is a fault of the text, not of ours
        raise MalformedPolicy(SYNTAX_ERROR) from error
    return tree


def _is_storable(text: str) -> bool:
    """Whether the text is Unicode: a lone surrogate can be neither stored nor hashed, and matches nothing AWS sends."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse()
    return found


def _refuse() -> NoReturn:
    raise MalformedPolicy(SYNTAX_ERROR)


def _refuse_constant(constant: str) -> NoReturn:
    raise MalformedPolicy(SYNTAX_ERROR)


def _statement(index: int, tree: Any) -> Statement:
    if not isinstance(tree, dict) or not tree.keys() <= _ELEMENTS:
        _refuse()
    if any(one in tree and other in tree for one, other in _EXCLUSIVE):
        _refuse()
    effect = _optional_string(tree, "Effect")
    # A wrong case ("denY") is left to validate: AWS reports it as a fault of its older parser.
    if effect is None or effect.lower() not in ("allow", "deny"):
        _refuse()
    return Statement(
        index=index,
        sid=_optional_string(tree, "Sid"),
        effect=effect,
        actions=_optional_strings(tree, "Action"),
        not_actions=_optional_strings(tree, "NotAction"),
        resources=_optional_strings(tree, "Resource"),
        not_resources=_optional_strings(tree, "NotResource"),
        principal=_principals(tree, "Principal"),
        not_principal=_principals(tree, "NotPrincipal"),
        conditions=_conditions(tree),
    )


def _is_string(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, _Number)


def _checked(value: str) -> str:
    # "\ud800" is ASCII in the text and a lone surrogate once decoded; U+0000 ends strings in much of what reads these.
    if not value.isascii() and not _is_storable(value):
        _refuse()
    if "\0" in value:
        _refuse()
    return value


def _optional_string(tree: dict[str, Any], element: str) -> str | None:
    if element not in tree:
        return None
    value = tree[element]
    if not _is_string(value):
        _refuse()
    return _checked(value)


def _optional_strings(tree: dict[str, Any], element: str) -> tuple[str, ...] | None:
    return _strings(tree[element]) if element in tree else None


def _strings(value: Any) -> tuple[str, ...]:
    if _is_string(value):
        return (_checked(value),)
    if not isinstance(value, list) or not all(_is_string(item) for item in value):
        _refuse()
    return tuple(_checked(item) for item in value)


def _principals(tree: dict[str, Any], element: str) -> Principals | None:
    if element not in tree:
        return None
    value = tree[element]
    if value == "*":
        return Principals(everyone=True, named=())
    if not isinstance(value, dict):
        _refuse()
    named = tuple((kind, name) for kind, names in value.items() for name in _strings(names))
    return Principals(everyone=False, named=named, has_types=bool(value))


def _conditions(tree: dict[str, Any]) -> tuple[Condition, ...]:
    block = tree.get("Condition", {})
    if not isinstance(block, dict):
        _refuse()
    found: list[Condition] = []
    for operator, keys in block.items():
        if not isinstance(keys, dict):
            _refuse()
        if keys and not is_operator(operator):
            _refuse()
        found.extend(Condition(operator, _checked(key), _scalars(values)) for key, values in keys.items())
    return tuple(found)


def _scalars(value: Any) -> tuple[str, ...]:
    """Values of a condition: strings, and the numbers and booleans that AWS reads as strings."""
    values = value if isinstance(value, list) else [value]
    return tuple(_scalar(item) for item in values)


def _scalar(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    if not isinstance(value, str):
        _refuse()
    return _checked(str(value))
