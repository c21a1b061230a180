"""Wildcard and ARN matching in linear time: patterns are cut at their wildcards once, then searched for, never backtracked."""

from __future__ import annotations

from collections.abc import Callable

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
        return literal.__eq__
    runs = _runs(template)
    if any(Wildcard.ONE in run for run in runs):
        return _matcher_with_single_wildcards(runs)
    return _matcher_of_literals(["".join(str(piece) for piece in run) for run in runs])


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
        for run in middle:
            at = text.find(run, at, end)
            if at < 0:
                return False
            at += len(run)
        return True

    return matches


def _always(text: str) -> bool:
    return True


def _matcher_with_single_wildcards(runs: list[list[Piece]]) -> Matcher:
    # A run of code units where None stands for `?`.
    units = [tuple(unit for piece in run for unit in _run_units(piece)) for run in runs]
    first, *rest = units
    if not rest:
        return lambda text: len(code_units(text)) == len(first) and _stands_at(first, code_units(text), 0)
    *middle, last = rest
    shortest = sum(len(run) for run in units)

    def matches(text: str) -> bool:
        text = code_units(text)
        end = len(text) - len(last)
        if len(text) < shortest or not _stands_at(first, text, 0) or not _stands_at(last, text, end):
            return False
        at = len(first)
        for run in middle:
            at = _find_run(run, text, at, end)
            if at < 0:
                return False
            at += len(run)
        return True

    return matches


def _run_units(piece: Piece) -> tuple[str | None, ...]:
    return tuple(code_units(piece)) if isinstance(piece, str) else (None,)


def _stands_at(run: tuple[str | None, ...], text: str, at: int) -> bool:
    return all(unit is None or unit == text[at + offset] for offset, unit in enumerate(run))


def _find_run(run: tuple[str | None, ...], text: str, start: int, end: int) -> int:
    """The first place in text[start:end] where the run stands, or -1.

    Bit i of `places` says the run may start at `start + i`; each unit of the run keeps the places where it fits, all
    at once. A run of m units over n characters costs m operations on n-bit integers, whatever their content.
    """
    room = end - start - len(run) + 1
    if room <= 0:
        return -1
    places = (1 << room) - 1
    where: dict[str, int] = {}
    for offset, unit in enumerate(run):
        if unit is None:
            continue
        if unit not in where:
            where[unit] = _bits_of(unit, text, start, end)
        places &= where[unit] >> offset
        if not places:
            return -1
    return start + (places & -places).bit_length() - 1


def _bits_of(unit: str, text: str, start: int, end: int) -> int:
    flags = bytes(character == unit for character in reversed(text[start:end]))
    return int(flags.translate(_DIGITS), 2)


_DIGITS = bytes.maketrans(b"\x00\x01", b"01")


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
