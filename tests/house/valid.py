"""The smallest parameters that AWS's model accepts for an operation: what is required, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from crownkeep.models import OperationModel, Shape
from crownkeep.operations.model_limits import violations

ARN = "arn:aws:iam::123456789012:policy/name"
# Tried in this order wherever a text is asked for.
TEXTS = (
    "name",
    ARN,
    "123456",
    "Long-Enough-1",
    "AKIAQ2222222222222222",
    "v1",
    "name@test.example",
    "+15550100",
    "US",
    "us-east-1",
    "123456789012",
    "{}",
    "o-0123456789/r-0123",
    "r-0123",
    "ou-0123-01234567",
    "h-0123456789",
    "car-0123456789",
    "p-0123456789",
    "0123456789abcdef0123456789abcdef",
    "arn:aws:sso:::instance/ssoins-0123456789abcdef",
    "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "00000000-0000-4000-8000-000000000000",
    "d-0123456789",
    "PT1H",
    "arn:aws:mpa:us-east-1:123456789012:approval-team/name",
    "arn:aws:mpa:us-east-1:123456789012:session/name/name",
    "arn:aws:mpa:::aws:policy/name/name",
    "arn:aws:mpa:::aws:policy/name/name/1",
    "signin:ConsoleLogin",
    "arn:aws:iam::123456789012:role/name",
    "arn:aws:account-access:us-east-1:123456789012:application/0123456789abcdef",
)


# By identity, each beside its shape: so no other shape can come to have that identity.
_found: dict[int, tuple[Shape, dict[str, Any]]] = {}


def parameters(operation: OperationModel) -> dict[str, Any]:
    """Return valid parameters of an operation."""
    if operation.input is None:
        return {}
    made = _structure(operation.input)
    assert [] == violations(operation.input, made), (operation.name, made)
    return made


def _structure(shape: Shape) -> dict[str, Any]:
    # Found once for each shape: every text is tried for every member, so structures within one another would multiply.
    if id(shape) not in _found:
        made: dict[str, Any] = {}
        for name in shape.required:
            candidates = [made | {name: _value(shape.members[name].shape, text)} for text in TEXTS]
            made = min(candidates, key=lambda candidate: len(violations(shape, candidate)))
        _found[id(shape)] = shape, made
    return deepcopy(_found[id(shape)][1])


def _smallest(shape: Shape, text: str) -> dict[str, Any]:
    # The query protocol can't say that a structure is there and empty.
    return {name: _value(member.shape, text) for name, member in list(shape.members.items())[:1]}


def _text(shape: Shape, text: str) -> str:
    # Some operations refuse what is no ARN, or no account, before they ask who may do what (AssumeRole, AssumeRoot).
    chosen = {"arnType": ARN, "TargetPrincipalType": "123456789012"}.get(shape.name, text)
    return chosen.ljust(int(shape.minimum or 0), "n")


def _value(shape: Shape, text: str) -> Any:
    match shape.type:
        case "structure":
            return _structure(shape) or _smallest(shape, text)
        case "list":
            return [_value(shape.element.shape, text)]
        case "map":
            return {"name": text}
        case "string":
            return shape.enum[0] if shape.enum else _text(shape, text)
        case "boolean":
            return True
        case "integer" | "long" | "float" | "double":
            return int(shape.minimum or 1)
        case "timestamp":
            return "2026-11-24T00:00:00Z"
        case _:
            return b"bytes".ljust(int(shape.minimum or 0), b"-")
