"""What a delegation request asks for: a provider's template filled in, and whether the caller has as much to lend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crownkeep import errors, policy
from crownkeep.operations import authorize
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.policy import Document, MalformedPolicy, PolicyKind, Statement
from crownkeep.principals import PrincipalKind

Parameters = Sequence[Mapping[str, Any]]
"""The member `Parameters` of a delegation's permissions."""

_PLACEHOLDER = re.compile(r"@\{([!-|~]{1,256})\}")
_BOUNDARY = "iam:permissionsboundary"
_MOST_TRIED = 200


def fill_in(template: str, parameters: Parameters) -> str:
    """Return the policy of a template with its placeholders `@{name}` filled in.

    A `string` may stand inside a text; a `stringList` stands for a whole value, and becomes as many as it has. Raises
    InvalidInput for what does not fit.
    """
    given: dict[str, tuple[str, ...]] = {}
    for each in parameters:
        name, values = str(each.get("Name", "")), tuple(str(value) for value in each.get("Values", ()))
        if name in given:
            raise errors.InvalidInput(f"The policy parameter {name} is given more than once.")
        if each.get("Type", "string") == "string" and len(values) != 1:
            raise errors.InvalidInput(f"The policy parameter {name} of type string must have exactly one value.")
        given[name] = values
    asked = set(_PLACEHOLDER.findall(template))
    for name in sorted(asked ^ given.keys()):
        raise errors.InvalidInput(
            f"The policy parameter {name} is {'missing' if name in asked else 'not one of the policy template'}."
        )
    # Filled in once it is decoded: a value with quotes in it stays one text, and can't add a statement.
    filled = msgspec.json.encode(_filled(msgspec.json.decode(template), given)).decode()
    try:
        policy.validate(policy.parse(filled), PolicyKind.SESSION)
    except MalformedPolicy as fault:
        raise errors.InvalidInput(f"The policy template does not make a valid policy of these parameters: {fault}") from fault
    return filled


def boundaries(document: str) -> list[str]:
    """Return the permissions boundaries that the policy asks of roles which are made by it."""
    lines = [line for each in policy.parse(document).statements if each.allows for line in each.conditions]
    return list(dict.fromkeys(value for line in lines if line.key.lower() == _BOUNDARY for value in line.values))


def check(call: Call, document: str) -> str:
    """Tell whether the caller may do all that is asked for: `ALLOWED`, `DENIED`, or `UNSURE` where it depends.

    AWS's is an approximation, too: conditions and patterns are answered by what is really asked for later.
    """
    if call.principal.kind is PrincipalKind.ROOT:
        return "ALLOWED"
    pairs = _asked_for(policy.parse(document))
    if pairs is None or len(pairs) > _MOST_TRIED:
        return "UNSURE"
    answers = {_may(call, action, resource) for action, resource in pairs}
    return next((answer for answer in ("DENIED", "UNSURE") if answer in answers), "ALLOWED")


def _filled(value: object, given: Mapping[str, tuple[str, ...]]) -> object:
    match value:
        case dict():
            return {name: _filled(each, given) for name, each in value.items()}
        case list():
            # A `stringList` inside of a list becomes as many of its elements, not a list in a list.
            filled = (_filled(each, given) for each in value)
            return [one for each in filled for one in (each if isinstance(each, list) else [each])]
        case str() if (whole := _PLACEHOLDER.fullmatch(value)) is not None:
            values = given[whole[1]]
            return values[0] if len(values) == 1 else list(values)
        case str():
            return _PLACEHOLDER.sub(lambda found: _single(found[1], given), value)
        case _:
            return value


def _single(name: str, given: Mapping[str, tuple[str, ...]]) -> str:
    if len(given[name]) != 1:
        raise errors.InvalidInput(f"The policy parameter {name} stands inside a text and must have exactly one value.")
    return given[name][0]


def _asked_for(document: Document) -> list[tuple[str, str]] | None:
    """Return each action and resource that is named; None where something is asked for by leaving out what isn't."""
    allows: list[Statement] = [each for each in document.statements if each.allows]
    if any(each.actions is None or each.resources is None for each in allows):
        return None
    return [(action, resource) for each in allows for action in each.actions or () for resource in each.resources or ()]


def _may(call: Call, action: str, resource: str) -> str:
    allowed = authorize.decide(call, call.principal, action, Target(resource), {}).allowed
    if allowed and not _is_pattern(action):
        return "ALLOWED"
    return "UNSURE" if allowed or _is_pattern(action) or _is_pattern(resource) else "DENIED"


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text
