"""PATCH (RFC 7644, section 3.5.2): operations on a resource; what comes of them is read like a resource that is sent."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep.services.scim import bodies
from crownkeep.services.scim.bodies import ENTERPRISE, Json
from crownkeep.services.scim.resources import LISTS

MOST = 100
"""Operations, members of a group and values of an attribute, in one request."""

_PATH = re.compile(r'(?:(urn:[A-Za-z0-9:.-]+):)?([A-Za-z$]+)(?:\[([A-Za-z]+) eq ("[^"\\]*"|true|false)\])?(?:\.([A-Za-z$]+))?')
_VERBS = ("add", "replace", "remove")


@dataclass(frozen=True, slots=True)
class Patch:
    """One operation of a PATCH request (RFC 7644, section 3.5.2)."""

    verb: str
    """`add`, `replace` or `remove`."""
    path: str
    """Empty where the value has attributes by their names."""
    value: Any


def read(content: Json) -> list[Patch]:
    """Return the operations in a body's object; raises ValidationException."""
    operations = content.get("Operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MOST:
        raise bodies.unparsable(f"Operations has 1 to {MOST} operations")
    return [_operation(each) for each in operations]


def patched(resource: Json, patches: list[Patch]) -> Json:
    """Return a person's resource after some operations."""
    # Deep: lists within it are changed below, and the resource before is still needed to see what has changed.
    after = copy.deepcopy(resource)
    for each in patches:
        if each.path:
            _apply(after, each.verb, each.path, each.value)
        else:
            _apply_all(after, each)
    return after


def _operation(given: object) -> Patch:
    if not isinstance(given, Mapping) or set(given) - {"op", "path", "value"}:
        raise bodies.unparsable("an operation has op, path and value")
    verb, path = given.get("op"), given.get("path") or ""
    if not isinstance(verb, str) or verb.lower() not in _VERBS or not isinstance(path, str):
        raise bodies.unparsable("op is add, replace or remove")
    if verb.lower() == "remove" and not path:
        raise bodies.unparsable("to remove takes a path")
    if verb.lower() != "remove" and given.get("value") is None:
        raise bodies.unparsable(f"to {verb.lower()} takes a value")
    return Patch(verb.lower(), path, given.get("value"))


def _apply_all(resource: Json, patch: Patch) -> None:
    if not isinstance(patch.value, dict):
        raise bodies.unparsable("without a path, value has attributes by their names")
    for name, value in patch.value.items():
        if name == ENTERPRISE and isinstance(value, dict):
            # Merged, and not replaced: what the value doesn't name stays (RFC 7644, 3.5.2).
            resource[ENTERPRISE] = {**resource.get(ENTERPRISE, {}), **value}
        else:
            _apply(resource, patch.verb, name, value)


def _apply(resource: Json, verb: str, path: str, value: Any) -> None:
    found = _PATH.fullmatch(path)
    if found is None:
        raise bodies.unparsable(f"the path {path[:128]} is not supported")
    schema, name, chosen_by, chosen, part = found.groups()
    if schema == ENTERPRISE:
        held = resource[ENTERPRISE] = dict(resource.get(ENTERPRISE) or {})
    elif schema in (None, bodies.USER):
        held = resource
    else:
        raise bodies.unparsable(f"the path {path[:128]} is not supported")
    if name in LISTS and schema != ENTERPRISE:
        _in_list(held, verb, name, (chosen_by, chosen), part, value)
    elif chosen_by is not None:
        raise bodies.unparsable(f"the path {path[:128]} is not supported")
    elif part is None:
        before = held.get(name)
        if name == "name" and isinstance(value, dict) and isinstance(before, dict):
            # The same for a complex attribute: a family name alone must not take the given name away.
            value = {**before, **value}
        _put(held, verb, name, value)
    else:
        inner = held.get(name)
        held[name] = dict(inner) if isinstance(inner, dict) else {}
        _put(held[name], verb, part, value)


def _in_list(held: Json, verb: str, name: str, choice: tuple[str | None, str | None], part: str | None, value: Any) -> None:
    """Change an attribute that has one value of several, chosen by its type or by being primary; `add` and `replace` make it."""
    chosen_by, chosen = choice
    before = held.get(name) or []
    if not isinstance(before, list) or not all(isinstance(each, dict) for each in before):
        raise bodies.unparsable(f"{name} is a list")
    present = [dict(each) for each in before]
    if chosen_by not in (None, "type", "primary", "value"):
        raise bodies.unparsable(f"values of {name} are chosen by type or primary")
    wanted: Any = chosen == "true" if chosen in ("true", "false") else (chosen or "").strip('"')
    others = [] if chosen_by is None else [each for each in present if each.get(chosen_by) != wanted]
    picked = present if chosen_by is None else [each for each in present if each.get(chosen_by) == wanted]
    if verb == "remove" and part is None:
        held[name] = others
        return
    if part is None:
        held[name] = others + (value if isinstance(value, list) else [value])
        # Each operation walks the list that those before it have made.
        if len(held[name]) > MOST:
            raise bodies.unparsable(f"{name} has at most {MOST} values")
        return
    made: Json = picked[0] if picked else ({} if chosen_by in (None, "value") else {chosen_by: wanted})
    if not picked and not others:
        made.setdefault("primary", True)
    _put(made, verb, part, value)
    held[name] = [*others, made]


def _put(held: Json, verb: str, name: str, value: Any) -> None:
    if verb == "remove":
        held.pop(name, None)
    else:
        held[name] = value
