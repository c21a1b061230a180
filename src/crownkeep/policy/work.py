"""How much comparing a statement asks for, so that no policies together cost more than a decision may.

Work is counted when a policy is compiled, as an upper bound in steps of about a quarter of a microsecond. Only where what an
action matches holds many steps is it counted for the request as well, by the values that the conditions' keys have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.variables import Lookup

LITTLE = 2_000
"""Steps of the statements that an action matches which need no counting: a fraction of a millisecond for usual values."""
MOST = 100_000
"""Steps of one set of policies in one decision; what a user may hold by AWS's quotas asks for fewer, unless it is made to."""

_PER_KIND_OF_CHARACTER = 32
_PER_VARIABLE = 8
_TEXT = 1_024
"""Characters of a value that a step moves on over at once."""
_BY_PATTERNS = ("StringLike", "ArnLike", "StringNotLike", "ArnNotLike", "ArnEquals", "ArnNotEquals")
_BY_HASH = ("StringEquals", "StringNotEquals", "Bool", "Null", "Binary")


class TooMuchWork(Exception):
    """Policies ask for more comparing than one decision may take."""


@dataclass(frozen=True, slots=True)
class Work:
    """Steps that are taken at most: once for a request, and once for each value of a context key."""

    once: int
    by_key: Mapping[str, int]

    @property
    def total(self) -> int:
        """The steps for keys of one short value each."""
        return self.once + sum(self.by_key.values())

    def steps(self, lookup: Lookup) -> int:
        """The steps for the values that a request has."""
        return self.once + sum(each * _weight(lookup(key)) for key, each in self.by_key.items())


def _weight(value: str | tuple[str, ...] | None) -> int:
    if value is None:
        return 1
    values = (value,) if isinstance(value, str) else value
    # A tuple's values are matched one by one; a value of more than a kilobyte counts as several.
    return sum(1 + max(0, len(each) - 1) // _TEXT for each in values)


def of_statement(statement: Statement) -> Work:
    """Count the work of a statement's resources and conditions; its actions are matched once for all requests."""
    once = 1 + sum(map(of_pattern, (*(statement.resources or ()), *(statement.not_resources or ()))))
    by_key: dict[str, int] = {}
    for condition in statement.conditions:
        key = condition.key.lower()
        by_key[key] = by_key.get(key, 0) + _of_condition(condition)
    return Work(once, by_key)


def together(some: Iterable[Work]) -> Work:
    """Add up the work of several statements."""
    once = 0
    by_key: dict[str, int] = {}
    for work in some:
        once += work.once
        for key, steps in work.by_key.items():
            by_key[key] = by_key.get(key, 0) + steps
    return Work(once, by_key)


def of_pattern(text: str) -> int:
    """Count the steps that matching a text against a pattern takes at most."""
    steps = 1 + 2 * text.count("*")
    # A `?` makes the matcher go step by step, with a table for each kind of character.
    if "?" in text:
        steps += len(text) + _PER_KIND_OF_CHARACTER * len(set(text))
    variables = text.count("${")
    # A variable has the pattern compiled for each request.
    return steps + _PER_VARIABLE * variables + 4 * steps if variables else steps


def _of_condition(condition: Condition) -> int:
    name = condition.operator.partition(":")[2] or condition.operator
    if name.startswith(_BY_PATTERNS):
        return 1 + sum(map(of_pattern, condition.values))
    if name.startswith(_BY_HASH):
        # Without variables it is one lookup in a set, however many values there are.
        return 1 + sum(1 + _PER_VARIABLE * value.count("${") for value in condition.values if "${" in value)
    return 1 + len(condition.values)
