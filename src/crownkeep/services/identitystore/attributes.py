"""Attributes of people and groups as callers change them: by paths such as `name.givenName`, with values of any shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.models import Shape
from crownkeep.operations import model_limits

Attributes = dict[str, Any]
_EXTENSIONS = "aws:identitystore:"


def changed(attributes: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], shape: Shape) -> Attributes:
    """Return attributes after some operations on them; `shape` is the model's, by which the outcome is checked.

    An operation without a value, or with null, takes the attribute away. Raises ValidationException for a path that names no
    attribute, and for values that the model wouldn't accept.
    """
    after = dict(attributes)
    for operation in operations:
        path, value = str(operation["AttributePath"]), operation.get("AttributeValue")
        names = [path] if path.startswith(_EXTENSIONS) else [_pascal(each) for each in path.split(".")]
        _set(after, names, _renamed(value) if not path.startswith(_EXTENSIONS) else value, shape, path)
    _require_valid(after, shape)
    return after


def _set(held: Attributes, names: Sequence[str], value: Any, shape: Shape, path: str) -> None:
    if names[0].startswith(_EXTENSIONS):
        names = ["Extensions", names[0]]
    first, *rest = names
    member = shape.members.get(first)
    if member is None or first in _NEVER or (rest and member.shape.type not in ("structure", "map")):
        raise errors.ServiceValidation(f"The attribute path {path} is not supported.")
    if not rest:
        _put(held, first, value)
        return
    # A copy: `held` shares what is inside of it with the attributes from before.
    inner = dict(held.get(first) or {})
    if len(rest) > 1 or (member.shape.type == "structure" and rest[0] not in member.shape.members):
        raise errors.ServiceValidation(f"The attribute path {path} is not supported.")
    _put(inner, rest[0], value)
    _put(held, first, inner or None)


# The service sets these by itself. They are members of the same shape, so they must be told apart from attributes here.
_NEVER = ("IdentityStoreId", "UserId", "UserArn", "GroupId", "GroupArn", "Revision")


def _put(held: Attributes, name: str, value: Any) -> None:
    if value is None:
        held.pop(name, None)
    else:
        held[name] = value


def _require_valid(attributes: Attributes, shape: Shape) -> None:
    for name, value in attributes.items():
        if not _fits(shape.members[name].shape, value):
            raise errors.ServiceValidation(f"The value of the attribute {name} is not of the right type.")
    # Members that the model requires of an answer, such as the id, are not among a person's attributes.
    found = [each for each in model_limits.violations(shape, attributes) if each.kind != "required"]
    if found:
        raise errors.ServiceValidation(found[0].text)


def _fits(shape: Shape, value: Any) -> bool:
    """Tell whether a value of any shape is of the model's types, all the way down: no decoder has looked at it yet."""
    if shape.document:
        return True
    match shape.type:
        case "structure":
            members = shape.members
            return isinstance(value, Mapping) and all(
                name in members and _fits(members[name].shape, each) for name, each in value.items()
            )
        case "list":
            return isinstance(value, list) and all(_fits(shape.element.shape, each) for each in value)
        case "map":
            return isinstance(value, Mapping) and all(
                shape.value is None or _fits(shape.value.shape, each) for each in value.values()
            )
        case "boolean":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _renamed(value: Any) -> Any:
    """Return a value with the model's member names: paths and documents write them with a small first letter."""
    if isinstance(value, Mapping):
        return {_pascal(str(name)): _renamed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    return value


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
