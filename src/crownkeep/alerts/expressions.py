"""Regular expressions of filter patterns, matched in linear time: no groups, and nothing to backtrack into.

The syntax is what CloudWatch Logs takes between `%` and `%`: literals, `.`, classes, `\\d \\s \\w` and their opposites, `\\xhh`,
the quantifiers `? * + {n,m}`, the anchors `^` and `$`, and `|` between whole alternatives. Each alternative becomes a row of
places; a text is read once, and all the places that it may have led to are kept as the bits of one number.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MOST_PLACES = 500
"""Places that an expression may have, after `{n,m}` is written out: what one character of a text may cost."""
LONGEST_VALUE = 8192
"""Characters of the longest value that an expression is asked about."""

_LITERAL = frozenset(string.ascii_letters + string.digits + "_#=@/;,-:<>!~&'\"` ")
_DIGITS, _SPACES = frozenset(string.digits), frozenset(" \t\n\r\f\v")
_WORDS = frozenset(string.ascii_letters + string.digits + "_")
_CLASSES = {"d": _DIGITS, "s": _SPACES, "w": _WORDS}

Matches = Callable[[str], bool]


class ExpressionError(Exception):
    """An expression that can't be read: where in it, counted from 0, and why."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Atom:
    """One character's place: which characters may stand there, and whether it may be left out or come again."""

    characters: frozenset[str]
    is_negated: bool
    is_optional: bool = False
    repeats: bool = False

    def takes(self, character: str) -> bool:
        return (character in self.characters) is not self.is_negated


@dataclass(frozen=True, slots=True)
class _Row:
    atoms: tuple[_Atom, ...]
    from_start: bool
    to_end: bool


def compile_expression(text: str) -> Matches:
    """Return a predicate that is true where the expression is found in a value; raises ExpressionError."""
    rows = _Reader(text).rows()
    matchers = [_matcher(row) for row in rows]
    if len(matchers) == 1:
        return matchers[0]
    return lambda value: any(matches(value) for matches in matchers)


class _Reader:
    """One pass over an expression, left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._places = 0

    def rows(self) -> list[_Row]:
        if not self._text:
            raise ExpressionError(0, "the regular expression is empty")
        rows = [self._row()]
        while self._at < len(self._text):
            self._at += 1
            rows.append(self._row())
        return rows

    def _row(self) -> _Row:
        atoms: list[_Atom] = []
        from_start = self._skip("^")
        to_end = False
        while self._at < len(self._text) and self._text[self._at] != "|":
            if self._skip("$"):
                to_end = True
                if self._at < len(self._text) and self._text[self._at] != "|":
                    raise ExpressionError(self._at, "nothing can follow `$`")
                break
            atoms.extend(self._quantified(self._atom()))
        if not atoms and not (from_start or to_end):
            raise ExpressionError(self._at, "an alternative is empty")
        return _Row(tuple(atoms), from_start, to_end)

    def _skip(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _atom(self) -> _Atom:
        character = self._text[self._at]
        if character == ".":
            self._at += 1
            # A dot is "none of no characters".
            return _Atom(frozenset(), is_negated=True)
        if character == "[":
            return self._bracket()
        if character == "\\":
            characters, is_negated = self._escape()
            return _Atom(characters, is_negated)
        if character in "()":
            raise ExpressionError(self._at, "groups are not supported; write the alternatives out, with `|` between them")
        if character in "?*+{":
            raise ExpressionError(self._at, f"`{character}` has nothing before it to repeat")
        # Whatever could be syntax in AWS's dialect must be escaped, so that no pattern means something else there.
        if character not in _LITERAL and character.isascii():
            raise ExpressionError(self._at, f"`{character}` must be written with a backslash before it")
        self._at += 1
        return _Atom(frozenset(character), is_negated=False)

    def _escape(self) -> tuple[frozenset[str], bool]:
        start = self._at
        self._at += 1
        if self._at >= len(self._text):
            raise ExpressionError(start, "a backslash ends the expression")
        character = self._text[self._at]
        self._at += 1
        if character.lower() in _CLASSES:
            return _CLASSES[character.lower()], character.isupper()
        if character == "x":
            digits = self._text[self._at : self._at + 2]
            if len(digits) < 2 or any(each not in string.hexdigits for each in digits):
                raise ExpressionError(start, "`\\x` takes two hexadecimal digits")
            self._at += 2
            return frozenset(chr(int(digits, 16))), False
        if character.isalnum():
            raise ExpressionError(
                start, f"`\\{character}` is not supported; `\\d`, `\\s`, `\\w`, their opposites and `\\xhh` are"
            )
        return frozenset(character), False

    def _bracket(self) -> _Atom:
        start = self._at
        self._at += 1
        is_negated = self._skip("^")
        found: set[str] = set()
        while not self._skip("]"):
            if self._at >= len(self._text):
                raise ExpressionError(start, "`[` is not closed")
            found |= self._members()
        if not found:
            raise ExpressionError(start, "a class is empty")
        return _Atom(frozenset(found), is_negated)

    def _members(self) -> frozenset[str]:
        start = self._at
        first = self._member()
        is_range = self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at)
        if not is_range or len(first) != 1:
            return first
        self._at += 1
        if self._at >= len(self._text):
            raise ExpressionError(start, "a range has no end")
        last = self._member()
        low, high = ord(next(iter(first))), ord(min(last))
        if len(last) != 1 or high < low or high > 0xFF:
            raise ExpressionError(start, "a range goes from a lower to a higher character")
        return frozenset(map(chr, range(low, high + 1)))

    def _member(self) -> frozenset[str]:
        if self._text[self._at] == "\\":
            start = self._at
            characters, is_negated = self._escape()
            if is_negated:
                raise ExpressionError(start, "an opposite can't stand in a class; begin the class with `^`")
            return characters
        self._at += 1
        return frozenset(self._text[self._at - 1])

    def _quantified(self, atom: _Atom) -> list[_Atom]:
        start = self._at
        sign = self._text[self._at : self._at + 1]
        optional = _Atom(atom.characters, atom.is_negated, is_optional=True)
        many = _Atom(atom.characters, atom.is_negated, is_optional=True, repeats=True)
        if sign and sign in "?*+":
            self._at += 1
            made = {"?": [optional], "*": [many], "+": [atom, many]}[sign]
        elif sign == "{":
            least, most = self._bounds()
            # Cut before it is written out: `{9999}` must not make a list of that length to be refused.
            made = [atom] * min(least, MOST_PLACES + 1)
            made += [many] if most is None else [optional] * min(most - least, MOST_PLACES + 1)
        else:
            made = [atom]
        if self._text[self._at : self._at + 1] in ("?", "*", "+", "{") and sign in ("?", "*", "+", "{"):
            raise ExpressionError(self._at, "a quantifier can't follow another")
        # Over the whole expression: its alternatives are each asked of every character.
        self._places += len(made)
        if self._places > MOST_PLACES:
            raise ExpressionError(start, f"with its repetitions written out it has more than {MOST_PLACES} places")
        return made

    def _bounds(self) -> tuple[int, int | None]:
        start = self._at
        end = self._text.find("}", start)
        least, comma, most = self._text[start + 1 : max(end, start + 1)].partition(",")
        if end < 0 or not _is_number(least) or (most and not _is_number(most)):
            raise ExpressionError(start, "a repetition is written `{n}`, `{n,}` or `{n,m}`")
        self._at = end + 1
        low = int(least)
        if not comma:
            return low, low
        if not most:
            return low, None
        if int(most) < low:
            raise ExpressionError(start, "a repetition goes from a lower to a higher number")
        return low, int(most)


def _is_number(text: str) -> bool:
    return 0 < len(text) <= 4 and text.isascii() and text.isdigit()


def _matcher(row: _Row) -> Matches:
    if all(len(atom.characters) == 1 and not (atom.is_negated or atom.is_optional) for atom in row.atoms):
        return _plain("".join(next(iter(atom.characters)) for atom in row.atoms), row)
    return _Places(row).lead_through


def _plain(literal: str, row: _Row) -> Matches:
    match row.from_start, row.to_end:
        case True, True:
            return literal.__eq__
        case True, False:
            return lambda value: value.startswith(literal)
        case False, True:
            return lambda value: value.endswith(literal)
        case _:
            return lambda value: literal in value


class _Places:
    """A row as bits: bit i says that the text so far may have led past i atoms (Baeza-Yates and Gonnet's shift-and)."""

    __slots__ = ("_final", "_first", "_optional", "_repeating", "_row", "_takes")

    def __init__(self, row: _Row) -> None:
        self._row = row
        self._optional = _bits(atom.is_optional for atom in row.atoms)
        self._repeating = _bits(atom.repeats for atom in row.atoms)
        self._final = 1 << len(row.atoms)
        self._first = self._skipping(1)
        self._takes: dict[str, int] = {}

    def lead_through(self, value: str) -> bool:
        """Tell whether the row is found in a value, in one pass."""
        row, final, takes, first = self._row, self._final, self._takes, self._first
        places = first
        if places & final and not row.to_end:
            return True
        for character in value:
            taken = takes.get(character)
            if taken is None:
                taken = self._learn(character)
            going = places & taken
            # A place moves on, and stays where its atom may come again.
            places = self._skipping(going << 1 | going & self._repeating)
            # Found anywhere: at every character a new attempt begins beside those under way.
            if not row.from_start:
                places |= first
            elif not places:
                return False
            if places & final and not row.to_end:
                return True
        return bool(places & final)

    def _skipping(self, places: int) -> int:
        """Add the places past optional atoms: a carry runs through each run of ones, all in one addition."""
        return places | (self._optional ^ (self._optional + (places & self._optional)))

    def _learn(self, character: str) -> int:
        taken = _bits(atom.takes(character) for atom in self._row.atoms)
        # Only these are remembered: a text could hold a million others.
        if character.isascii():
            self._takes[character] = taken
        return taken


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)
