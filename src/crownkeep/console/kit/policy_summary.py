"""What a policy grants at a glance: for each statement and service, the levels of access, the resources and the conditions.

It says what is written and decides nothing: whether somebody may do something is the simulator's to tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache, reduce

from crownkeep import translation
from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import AccessLevel
from crownkeep.translation import Language, gettext

MOST_STEPS = 60_000
"""Comparisons of a wildcard with an action's name, over the whole document: pages must stay quick, whatever is typed."""
MOST_ROWS = 40
_KEPT = 32
_WILDCARDS = "*?"


@dataclass(frozen=True, slots=True)
class Level:
    """What is granted of one access level of a service."""

    name: str
    actions: tuple[str, ...]
    total: int
    """How many actions of this level the service has."""

    @property
    def is_full(self) -> bool:
        """Whether it is all of them."""
        return len(self.actions) == self.total


@dataclass(frozen=True, slots=True)
class Row:
    """What one statement says of one service."""

    statement: str
    """Its Sid or, where it has none, its number."""
    service: str
    prefix: str
    """Empty where the statement speaks of all services."""
    levels: tuple[Level, ...]
    unknown: tuple[str, ...]
    """What it names that is no action of AWS's."""
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole policy says."""

    allowed: tuple[Row, ...]
    denied: tuple[Row, ...]
    left_out: int
    """Services that were not taken apart, because the document is so large."""


def summarize(document: str) -> Summary | None:
    """Summarize a policy that identities hold; None for what is no policy."""
    return _summarized(document, translation.spoken())


@lru_cache(_KEPT)
def _summarized(document: str, _: Language) -> Summary | None:
    # Kept by language, too: some of its words are ours.
    statements = _statements(document)
    if statements is None:
        return None
    rows: dict[str, list[Row]] = {"Allow": [], "Deny": []}
    steps = left_out = 0
    for number, statement in enumerate(statements, start=1):
        effect = statement.get("Effect")
        if effect not in ("Allow", "Deny"):
            return None
        for prefix, patterns in _by_service(statement).items():
            has_room = sum(map(len, rows.values())) < MOST_ROWS
            steps += _steps(prefix, patterns) if has_room else 0
            if not has_room or steps > MOST_STEPS:
                left_out += 1
            else:
                rows[effect].append(_row(number, statement, prefix, patterns))
    return Summary(tuple(rows["Allow"]), tuple(rows["Deny"]), left_out)


def _statements(document: str) -> list[Mapping[str, object]] | None:
    try:
        read = json.loads(document)
    except (ValueError, RecursionError):
        return None
    found = read.get("Statement") if isinstance(read, dict) else None
    statements = [found] if isinstance(found, dict) else found
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        return None
    return statements


def _by_service(statement: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the names of a statement's actions by the prefix of their service; those of all services under an empty one."""
    if "NotAction" in statement:
        return {"": [gettext("All but %(actions)s", actions=", ".join(_texts(statement["NotAction"])))]}
    found: dict[str, list[str]] = {}
    for each in _texts(statement.get("Action")):
        prefix, colon, name = each.partition(":")
        if not colon or _is_pattern(prefix):
            found.setdefault("", []).append(gettext("Everything") if each == "*" else each)
        else:
            found.setdefault(prefix.lower(), []).append(name)
    return found


def _steps(prefix: str, patterns: Sequence[str]) -> int:
    return len(actions.actions_of(prefix)) * sum(map(_is_pattern, patterns)) if prefix else 1


def _row(number: int, statement: Mapping[str, object], prefix: str, patterns: Sequence[str]) -> Row:
    name = _texts(statement.get("Sid"))
    levels, unknown = _levels(prefix, patterns) if prefix else ((), ())
    return Row(
        statement=name[0] if name and name[0] else gettext("Statement %(number)s", number=number),
        service=(actions.service_name(prefix) or gettext("Unknown service %(prefix)s", prefix=prefix))
        if prefix
        else "; ".join(patterns),
        prefix=prefix,
        levels=levels,
        unknown=unknown,
        resources=tuple(_texts(statement.get("Resource")))
        or tuple(gettext("All but %(resource)s", resource=each) for each in _texts(statement.get("NotResource"))),
        conditions=tuple(_conditions(statement.get("Condition"))),
    )


def _levels(prefix: str, patterns: Sequence[str]) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    known = actions.actions_of(prefix)
    granted: set[str] = set()
    unknown = []
    for pattern in patterns:
        lower = pattern.lower()
        # A bracket is no wildcard in policies.
        form = lower.replace("[", "[[]")
        found = {name for name in known if fnmatchcase(name, form)} if _is_pattern(lower) else {lower} & known.keys()
        granted |= found
        if not found:
            unknown.append(pattern)
    levels = []
    for level in AccessLevel:
        of_level = [name for name, each in known.items() if each.access_level is level]
        names = tuple(known[name].name for name in of_level if name in granted)
        if names:
            levels.append(Level(level.value, names, len(of_level)))
    return tuple(levels), tuple(unknown)


def _conditions(condition: object) -> Iterator[str]:
    if not isinstance(condition, Mapping):
        return
    for operator, keys in condition.items():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            yield f"{key} {operator} {_either(_texts(values))}"


def _either(texts: Sequence[str]) -> str:
    return reduce(lambda said, other: gettext("%(said)s or %(other)s", said=said, other=other), texts) if texts else ""


def _texts(value: object) -> list[str]:
    """Return one text or several as several."""
    found = value if isinstance(value, list) else [] if value is None else [value]
    return [each if isinstance(each, str) else json.dumps(each) for each in found]


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in _WILDCARDS)
