"""Sets of strings written as wildcard patterns: do two meet, does one hold the other, and an example of what one holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crownkeep.policy.patterns import code_units

_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_SEGMENTS = 6


def meets(one: str, other: str) -> bool:
    """Whether some string matches both patterns; exact, in time proportional to the product of their lengths."""
    one, other = _trimmed(one), _trimmed(other)
    # reachable[j]: the first i pieces of `one` and the first j of `other` can be matched by one string.
    reachable = [True] + [False] * len(other)
    for j, right in enumerate(other):
        reachable[j + 1] = reachable[j] and right == "*"
    for left in one:
        row = [reachable[0] and left == "*"]
        for j, right in enumerate(other):
            if left == "*" or right == "*":
                row.append(reachable[j + 1] or row[j] or reachable[j])
            else:
                row.append(reachable[j] and (left == right or left == "?" or right == "?"))
        reachable = row
    return reachable[-1]


def holds(pattern: str, inner: str) -> bool:
    """Whether everything `inner` matches is matched by `pattern`; sound: True is a proof, False may be a lack of one."""
    pattern, inner = _trimmed(pattern), _trimmed(inner)
    reachable = [True] + [False] * len(inner)
    for piece in pattern:
        row = [reachable[0] and piece == "*"]
        for j, character in enumerate(inner):
            if piece == "*":
                row.append(reachable[j + 1] or row[j])
            else:
                row.append(reachable[j] and character != "*" and piece in (character, "?"))
        reachable = row
    return reachable[-1]


def _trimmed(pattern: str) -> str:
    return code_units(re.sub(r"\*+", "*", pattern))


def arns_meet(one: str, other: str) -> bool:
    """Whether some ARN matches both resource patterns; a variable may stand for anything."""
    if "*" in (one, other):
        return True
    left, right = _segments(one), _segments(other)
    return all(map(meets, left, right))


def arn_holds(pattern: str, inner: str) -> bool:
    """Whether a resource pattern holds all that another does; patterns with variables hold only themselves."""
    if pattern in ("*", inner):
        return True
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
        return "*" in self.patterns

    def meet_any(self, other: Words) -> bool:
        """Whether some word is in both; False is a proof."""
        if not other.negated:
            return any(self.meet(pattern) for pattern in other.patterns)
        return self.negated or any(other.meet(pattern) for pattern in self.patterns)
