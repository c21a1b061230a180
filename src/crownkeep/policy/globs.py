"""Sets of strings written as wildcard patterns: do two meet, does one hold the other, and an example of what one holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crownkeep.policy.patterns import code_units

_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_SEGMENTS = 6


def meets(one: str, other: str) -> bool:
    """Whether some string matches both patterns; exact.

    Bit j of `states` says that some string matches `one` so far and the first j characters of `other`; all of them move
    on together, so patterns of m and n characters cost m operations on n-bit integers, whatever they hold.
    """
    one, other = _trimmed(one), _trimmed(other)
    stars, wild, where = _places(other)
    everything = (2 << len(other)) - 1
    states = _past_stars(1, stars)
    for left in one:
        if left == "*":
            # A star reaches every place from the lowest one on: see `patterns._walks_through`.
            states = everything & -(states & -states)
        else:
            # A question mark of the other pattern takes any character of this one.
            stepping = everything & ~stars if left == "?" else where.get(left, 0) | wild
            states = _past_stars((states & stars) | (states & stepping) << 1, stars) & everything
    return bool(states >> len(other) & 1)


def _places(pattern: str) -> tuple[int, int, dict[str, int]]:
    """Where a pattern has its stars, its question marks and each of its other characters, as bits."""
    where: dict[str, int] = {}
    for number, character in enumerate(pattern):
        where[character] = where.get(character, 0) | 1 << number
    return where.pop("*", 0), where.pop("?", 0), where


def _past_stars(states: int, stars: int) -> int:
    """A star may match nothing; there are no two in a row."""
    return states | (states & stars) << 1


def holds(pattern: str, inner: str) -> bool:
    """Whether everything `inner` matches is matched by `pattern`; sound: True is a proof, False may be a lack of one."""
    pattern, inner = _trimmed(pattern), _trimmed(inner)
    # The inner pattern's wildcards are taken as characters that only a star, or for `?` an equal mark, can match: so what holds
    # is proven, and some true cases are missed.
    stars, _, where = _places(inner)
    everything = (2 << len(inner)) - 1
    # Bit j: the pattern so far matches the first j characters of `inner`, whose wildcards stand for themselves.
    states = 1
    for piece in pattern:
        if not states:
            return False
        if piece == "*":
            states = everything & -(states & -states)
        else:
            fitting = everything & ~stars if piece == "?" else where.get(piece, 0)
            states = (states & fitting) << 1 & everything
    return bool(states >> len(inner) & 1)


def _trimmed(pattern: str) -> str:
    return code_units(re.sub(r"\*+", "*", pattern))


def arns_meet(one: str, other: str) -> bool:
    """Whether some ARN matches both resource patterns; a variable may stand for anything."""
    if "*" in (one, other):
        return True
    # Segment by segment, as ARNs are matched.
    left, right = _segments(one), _segments(other)
    return all(map(meets, left, right))


def arn_holds(pattern: str, inner: str) -> bool:
    """Whether a resource pattern holds all that another does; patterns with variables hold only themselves."""
    if pattern in ("*", inner):
        return True
    # Of variables nothing is known, so nothing is proven.
    if inner == "*" or "${" in pattern:
        return False
    return all(map(holds, _segments(pattern), _segments(inner)))


def _segments(pattern: str) -> list[str]:
    segments = _VARIABLE.sub("*", pattern).split(":", _SEGMENTS - 1)
    return segments + ["*"] * (_SEGMENTS - len(segments))


def example(pattern: str, filling: str) -> str:
    """A string the pattern matches: stars filled in, question marks as `x`, variables as one text."""
    return _VARIABLE.sub("x", pattern).replace("*", filling).replace("?", "x")


@dataclass(frozen=True, slots=True)
class Words:
    """The strings of an Action or Resource element: those matching any pattern, or, for the Not form, those matching none."""

    patterns: tuple[str, ...]
    negated: bool
    are_arns: bool

    def _meets(self, one: str, other: str) -> bool:
        return arns_meet(one, other) if self.are_arns else meets(one, other)

    def _holds(self, pattern: str, inner: str) -> bool:
        return arn_holds(pattern, inner) if self.are_arns else holds(pattern, inner)

    def hold(self, inner: str) -> bool:
        """Whether everything a pattern matches is among these; True is a proof."""
        if self.negated:
            return not any(self._meets(pattern, inner) for pattern in self.patterns)
        return any(self._holds(pattern, inner) for pattern in self.patterns)

    def meet(self, other: str) -> bool:
        """Whether something a pattern matches is among these; False is a proof."""
        if self.negated:
            return not any(self._holds(pattern, other) for pattern in self.patterns)
        return any(self._meets(pattern, other) for pattern in self.patterns)

    def hold_all(self, inner: Words) -> bool:
        """Whether all of the other words are among these; True is a proof."""
        if not inner.negated:
            return all(self.hold(pattern) for pattern in inner.patterns)
        if self.negated:  # fewer are left out here than there
            return all(any(self._holds(out, pattern) for out in inner.patterns) for pattern in self.patterns)
        # The complement of a few patterns is held by nothing less than everything.
        return "*" in self.patterns

    def meet_any(self, other: Words) -> bool:
        """Whether some word is in both; False is a proof."""
        if not other.negated:
            return any(self.meet(pattern) for pattern in other.patterns)
        # Two complements always share something: no two finite lists leave nothing out in common.
        return self.negated or any(other.meet(pattern) for pattern in self.patterns)
