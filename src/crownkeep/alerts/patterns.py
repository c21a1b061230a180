"""Filter patterns: what CloudWatch Logs calls a JSON filter pattern, read into a tree, with the place of what is wrong.

    { ($.eventName = ConsoleLogin) && ($.userIdentity.type = "Root" || $.errorCode = "AccessDenied*") }

A pattern that can't be evaluated is refused when it is saved: one that fails later would be an alarm that keeps silent.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

from crownkeep.alerts import expressions
from crownkeep.alerts.expressions import ExpressionError, Matches

LONGEST = 4096
"""Characters of the longest pattern; AWS takes 1,024."""
MOST_EXPRESSIONS = 2
"""Regular expressions in one pattern, as AWS has it."""
_DEEPEST = 40

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_NAME = re.compile(r"[A-Za-z0-9_@:-]+")
_INDEX = re.compile(r"\[(\d{1,4})\]")
_QUOTED_KEY = re.compile(r"\[(?:'([^'\\]*)'|\"([^\"\\]*)\")\]")
_WORD = re.compile(r"[A-Za-z]+")
_BARE = re.compile(r"(?:(?!&&|\|\|)[^\s(){}\"%=<>!])+")
_OPERATORS = ("!=", "<=", ">=", "=", "<", ">")


class PatternError(Exception):
    """A pattern that can't be evaluated: at which of its characters, counted from 1, and why."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(f"character {at + 1}: {reason}")
        self.position = at + 1
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Selector:
    """A place in a record, such as `$.resources[0].ARN`: names of members and numbers of entries."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A value compared with a text, a number or a regular expression."""

    selector: Selector
    operator: str
    text: str
    """As it is meant: without quotes and escapes; of a pattern with wildcards, with its stars."""
    number: float | None = None
    """The text as a number, where it was written without quotes and is one."""
    wildcards: tuple[str, ...] = ()
    """What stands between the stars, where there are any."""
    expression: Matches | None = None


class State(Enum):
    """What a check asks of a value, by its keyword."""

    NULL = "IS NULL"
    TRUE = "IS TRUE"
    FALSE = "IS FALSE"
    EXISTS = "EXISTS"
    NOT_EXISTS = "NOT EXISTS"


@dataclass(frozen=True, slots=True)
class Check:
    """A question about a value that compares it with nothing."""

    selector: Selector
    state: State


@dataclass(frozen=True, slots=True)
class AllOf:
    """Parts that must all hold (`&&`)."""

    parts: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts of which one must hold (`||`)."""

    parts: tuple[Term, ...]


Term = Comparison | Check | AllOf | AnyOf


def parse(text: str) -> Term:
    """Read a pattern; raises PatternError."""
    if len(text) > LONGEST:
        raise PatternError(LONGEST, f"a pattern has at most {LONGEST} characters")
    return _Parser(text).whole()


class _Parser:
    """Recursive descent: `||` binds less than `&&`, and parentheses most."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._expressions = 0

    def whole(self) -> Term:
        if not self._takes("{"):
            raise PatternError(self._at, "a pattern is written in braces, such as `{ $.eventName = ConsoleLogin }`")
        found = self._any(0)
        if not self._takes("}"):
            raise PatternError(self._at, "`&&`, `||` or the closing `}` is expected here")
        self._space()
        if self._at < len(self._text):
            raise PatternError(self._at, "nothing can follow the closing `}`")
        return found

    def _any(self, depth: int) -> Term:
        # Each level reads as many as stand side by side: no recursion for long chains, only for parentheses.
        parts = [self._all(depth)]
        while self._takes("||"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self, depth: int) -> Term:
        parts = [self._one(depth)]
        while self._takes("&&"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self, depth: int) -> Term:
        if not self._takes("("):
            return self._term()
        opened = self._at - 1
        if depth >= _DEEPEST:
            raise PatternError(opened, f"parentheses are nested more than {_DEEPEST} deep")
        found = self._any(depth + 1)
        if not self._takes(")"):
            raise PatternError(opened, "this `(` is not closed")
        return found

    def _term(self) -> Term:
        selector = self._selector()
        # Longer operators first, or `<=` would be read as `<` and a value that begins with `=`.
        for operator in _OPERATORS:
            if self._takes(operator):
                return self._comparison(selector, operator)
        start = self._at
        words = self._words()
        try:
            return Check(selector, State(words))
        except ValueError:
            raise PatternError(
                start, "an operator is expected here: = != < > <= >= IS NULL, IS TRUE, IS FALSE, EXISTS or NOT EXISTS"
            ) from None

    def _words(self) -> str:
        words: list[str] = []
        while len(words) < 2:
            self._space()
            found = _WORD.match(self._text, self._at)
            if found is None:
                break
            words.append(found[0].upper())
            self._at = found.end()
            if words == ["EXISTS"]:
                break
        return " ".join(words)

    def _selector(self) -> Selector:
        self._space()
        start = self._at
        if not self._text.startswith("$", start):
            raise PatternError(start, "a selector such as `$.eventName` is expected here")
        self._at += 1
        steps: list[str | int] = []
        while True:
            step = self._step()
            if step is None:
                break
            steps.append(step)
        if not steps:
            raise PatternError(self._at, "a selector names a member, such as `$.eventName`")
        return Selector(tuple(steps))

    def _step(self) -> str | int | None:
        at = self._at
        if self._text.startswith(".", at):
            name = _NAME.match(self._text, at + 1)
            if name is None:
                raise PatternError(at + 1, "the name of a member is expected after the `.`")
            self._at = name.end()
            return name[0]
        if not self._text.startswith("[", at):
            return None
        index, key = _INDEX.match(self._text, at), _QUOTED_KEY.match(self._text, at)
        found = index or key
        if found is None:
            raise PatternError(at, "an index such as `[0]` or a quoted name such as `['a.b']` is expected here")
        self._at = found.end()
        return int(index[1]) if index else str(found[1] if found[1] is not None else found[2])

    def _comparison(self, selector: Selector, operator: str) -> Comparison:
        self._space()
        start = self._at
        if self._text.startswith('"', start):
            made = self._with_wildcards(selector, operator, self._quoted())
        elif self._text.startswith("%", start):
            made = self._expression(selector, operator)
        else:
            made = self._bare(selector, operator)
        if operator not in ("=", "!=") and made.number is None:
            raise PatternError(start, f"`{operator}` takes a number")
        return made

    def _quoted(self) -> list[str]:
        """Read a quoted text, cut at its wildcards; `\\*` is a star that is meant."""
        start = self._at
        self._at += 1
        runs = [""]
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                return runs
            # A run ends at a star: matching needs the runs alone.
            if character == "*":
                runs.append("")
                continue
            if character == "\\":
                character = self._text[self._at : self._at + 1]
                self._at += 1
            runs[-1] += character
        raise PatternError(start, "this quotation mark is not closed")

    def _with_wildcards(self, selector: Selector, operator: str, runs: list[str], number: float | None = None) -> Comparison:
        wildcards = tuple(runs) if len(runs) > 1 else ()
        return Comparison(selector, operator, "*".join(runs), number, wildcards)

    def _bare(self, selector: Selector, operator: str) -> Comparison:
        found = _BARE.match(self._text, self._at)
        if found is None:
            raise PatternError(self._at, "a value is expected here")
        self._at = found.end()
        # Bare numbers compare as numbers, quoted ones as texts (CloudWatch Logs user guide, "Filter pattern syntax").
        number = float(found[0]) if _NUMBER.fullmatch(found[0]) else None
        if number is not None and not math.isfinite(number):
            raise PatternError(found.start(), "the number is too large")
        return self._with_wildcards(selector, operator, found[0].split("*"), number)

    def _expression(self, selector: Selector, operator: str) -> Comparison:
        start = self._at + 1
        end = self._text.find("%", start)
        if end < 0:
            raise PatternError(start - 1, "this `%` is not closed")
        # Counted while reading: a pattern with too many is refused before any is compiled.
        self._expressions += 1
        if self._expressions > MOST_EXPRESSIONS:
            raise PatternError(start - 1, f"a pattern has at most {MOST_EXPRESSIONS} regular expressions")
        try:
            matches = expressions.compile_expression(self._text[start:end])
        except ExpressionError as error:
            raise PatternError(start + error.position, error.reason) from error
        self._at = end + 1
        return Comparison(selector, operator, self._text[start:end], expression=matches)

    def _takes(self, token: str) -> bool:
        self._space()
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
