"""Wildcard and ARN matching without backtracking: patterns are cut at their wildcards once, then stepped through.

A pattern of m characters over a text of n costs at most m operations on n-bit integers, whatever the two hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from crownkeep.policy.variables import Piece, Template, Wildcard, read_template

Matcher = Callable[[str], bool]

ARN_SEGMENTS = 6


def wildcard_matcher(template: Template) -> Matcher:
    """A predicate for a template without variables: `*` is any run of characters, `?` is one UTF-16 unit.

    Runs between stars are found leftmost first, which is enough because a star may swallow anything; every step moves
    on through the text, so there is nothing to backtrack into.
    """
    if not any(isinstance(piece, Wildcard) for piece in template):
        literal = "".join(piece for piece in template if isinstance(piece, str))
        # The string's own method, so an exact comparison costs no Python frame.
        return literal.__eq__
    if Wildcard.ONE in template:
        return _matcher_with_single_wildcards(template)
    return _matcher_of_literals(["".join(str(piece) for piece in run) for run in _runs(template)])


def _runs(template: Template) -> list[list[Piece]]:
    """The pieces between the stars: for `a*b?c` the runs `a` and `b?c`."""
    runs: list[list[Piece]] = [[]]
    for piece in template:
        if piece is Wildcard.MANY:
            runs.append([])
        else:
            runs[-1].append(piece)
    return runs


def _matcher_of_literals(runs: list[str]) -> Matcher:
    first, *middle, last = runs
    shortest = len(first) + len(last)
    if not middle:
        if not last:
            return _always if not first else lambda text: text.startswith(first)
        return lambda text: len(text) >= shortest and text.startswith(first) and text.endswith(last)

    def matches(text: str) -> bool:
        end = len(text) - len(last)
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        at = len(first)
        # The leftmost place is enough for each run, and `end` keeps the last run's characters out of reach.
        for run in middle:
            at = text.find(run, at, end)
            if at < 0:
                return False
            at += len(run)
        return True

    return matches


def _always(text: str) -> bool:
    return True


def _matcher_with_single_wildcards(template: Template) -> Matcher:
    steps: list[str | Wildcard] = []
    for piece in template:
        # One step for each UTF-16 unit, since `?` is one of those.
        steps.extend(code_units(piece) if isinstance(piece, str) else [piece] if isinstance(piece, Wildcard) else [])
    wild = [place for place, step in enumerate(steps) if isinstance(step, Wildcard)]
    first = "".join(map(str, steps[: wild[0]]))
    last = "".join(map(str, steps[wild[-1] + 1 :]))
    middle = steps[wild[0] : wild[-1] + 1]
    # Too short a text is refused before the walk; it also keeps the slice below from going backwards.
    shortest = sum(step is not Wildcard.MANY for step in steps)

    def matches(text: str) -> bool:
        text = code_units(text)
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        return _walks_through(middle, text[len(first) : len(text) - len(last)])

    return matches


def _walks_through(steps: list[str | Wildcard], text: str) -> bool:
    """Whether the steps lead from the text's start to its end.

    Bit i of `places` says that the steps so far may have led to place i. Each step moves all places on at once.
    """
    # One bit more than characters: place n is behind the last one.
    everything = (2 << len(text)) - 1
    where: dict[str, int] = {}
    places = 1
    for step in steps:
        if step is Wildcard.MANY:
            # `places & -places` is the lowest place that is set; a star reaches it and every place after it.
            places = everything & -(places & -places)
        elif step is Wildcard.ONE:
            places = places << 1 & everything
        else:
            if step not in where:
                where[step] = _bits_of(step, text)
            # A character moves exactly those places on at which it stands in the text.
            places = (places & where[step]) << 1
        if not places:
            return False
    return bool(places >> len(text) & 1)


def _bits_of(unit: str, text: str) -> int:
    """Where a character stands in a text, as bits; in time linear in the text."""
    if text.isascii():
        # Reversed, as the first character belongs to the lowest bit.
        return int(text.encode().translate(_flags(unit))[::-1], 2) if unit in text else 0
    return int(text.translate(_Flags(unit))[::-1], 2)


@lru_cache(maxsize=256)
def _flags(unit: str) -> bytes:
    return bytes(ord("1") if code == ord(unit) else ord("0") for code in range(256))


class _Flags(dict[int, str]):
    """A translation of one character to `1` and of all others to `0`."""

    def __init__(self, unit: str) -> None:
        super().__init__({ord(unit): "1"})

    def __missing__(self, key: int) -> str:
        self[key] = "0"
        return "0"


def code_units(text: str) -> str:
    """The text with characters beyond U+FFFF as their two UTF-16 units, which is how AWS counts for `?`."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    encoded = text.encode("utf-16-be", "surrogatepass")
    return "".join(chr(int.from_bytes(encoded[at : at + 2], "big")) for at in range(0, len(encoded), 2))


def read_pattern(text: str) -> Matcher:
    """A predicate for a plain wildcard pattern, such as `iam:Get*` (compare both sides in one case)."""
    return wildcard_matcher(read_template(text, variables=False, wildcards=True))


def literal_prefix(template: Template) -> str:
    """The characters every match begins with; the whole text when the template is plain."""
    return template[0] if template and isinstance(template[0], str) else ""


def arn_segments(template: Template) -> list[Template]:
    """An ARN template's segments, at most six: a `:` in the sixth belongs to it."""
    segments: list[list[Piece]] = [[]]
    for piece in template:
        if not isinstance(piece, str):
            segments[-1].append(piece)
            continue
        # Never more than six: whatever colons follow belong to the resource's own name.
        for number, cut in enumerate(piece.split(":", ARN_SEGMENTS - len(segments))):
            if number:
                segments.append([])
            if cut:
                segments[-1].append(cut)
    return [tuple(segment) for segment in segments]


def padded(segments: list[Template]) -> list[Template]:
    """Six segments: AWS reads `arn:aws:sns` as `arn:aws:sns:*:*:*` (it shows the padding in its own messages)."""
    return segments + [_STAR] * (ARN_SEGMENTS - len(segments))


_STAR: Template = (Wildcard.MANY,)


def segments_matcher(segments: list[Template]) -> Matcher:
    """A predicate over ARNs for six segments without variables, each matched apart from the others."""
    wild = [any(isinstance(piece, Wildcard) for piece in segment) for segment in segments]
    if not any(wild):
        return ":".join(_text(segment) for segment in segments).__eq__
    # Nearly all patterns have their stars in the resource alone: then it is a prefix and one match.
    if not any(wild[:-1]):
        return _matcher_of_last_segment(":".join(_text(segment) for segment in segments[:-1]) + ":", segments[-1])
    matchers = [(number, wildcard_matcher(segment)) for number, segment in enumerate(segments) if segment != _STAR]

    def matches(arn: str) -> bool:
        parts = arn.split(":", ARN_SEGMENTS - 1)
        return len(parts) == ARN_SEGMENTS and all(matcher(parts[number]) for number, matcher in matchers)

    return matches


def _matcher_of_last_segment(head: str, last: Template) -> Matcher:
    if last == _STAR:
        return lambda arn: arn.startswith(head)
    if len(last) == 2 and last[1] is Wildcard.MANY and isinstance(last[0], str):
        prefix = head + last[0]
        return lambda arn: arn.startswith(prefix)
    tail = wildcard_matcher(last)
    length = len(head)
    return lambda arn: arn.startswith(head) and tail(arn[length:])


def _text(segment: Template) -> str:
    return "".join(piece for piece in segment if isinstance(piece, str))
