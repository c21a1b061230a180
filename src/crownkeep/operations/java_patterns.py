"""Regular expressions of AWS's models, written for Java, as Python understands them (java.util.regex.Pattern).

`\\w`, `\\d` and `\\s` mean ASCII, `.` stops at five line ends, `\\uD800\\uDC00` is one character, classes may hold classes, and
`\\p{L}` and its like name Unicode categories, which `re` doesn't know: a value's characters beyond ASCII are replaced by one
stand-in per category before the match, and the pattern names the stand-ins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

Matches = Callable[[str], bool]

_CATEGORY_LETTERS = "LMNPSZC"
# The last plane of private use: no pattern of AWS names its characters, and a value's own ones there become category C's.
_STAND_INS = {letter: chr(0x10FF00 + index) for index, letter in enumerate(_CATEGORY_LETTERS)}
_ASCII = {
    letter: "".join(chr(code) for code in range(128) if unicodedata.category(chr(code))[0] == letter)
    for letter in _CATEGORY_LETTERS
}
_NO_LINE_END = r"[^\n\r\u0085\u2028\u2029]"
_CODE_UNIT = re.compile(r"\\u([0-9A-Fa-f]{4})")
_CODE_BYTE = re.compile(r"\\x([0-9A-Fa-f]{2})")
_RANGE_BEYOND_ASCII = re.compile("-[^\x00-\x7f\U0010ff00-\U0010ff07]")
_CATEGORY = re.compile(r"\\p\{(?:Is)?([LMNPSZC])\}")


def compile_pattern(pattern: str) -> Matches:
    """Return a predicate that is true where all of a value matches; raises ValueError for what we can't translate."""
    translation = _Translation(pattern)
    text = translation.text()
    expression = re.compile(text, re.ASCII)
    if not translation.has_categories:
        return lambda value: expression.fullmatch(value) is not None
    if _RANGE_BEYOND_ASCII.search(text):
        raise ValueError(f"`{pattern}` mixes categories and ranges beyond ASCII, which is not translated")
    named = translation.literals

    def matches(value: str) -> bool:
        if not value.isascii():
            value = "".join(each if each.isascii() or each in named else _stand_in(each) for each in value)
        return expression.fullmatch(value) is not None

    return matches


def _stand_in(character: str) -> str:
    return _STAND_INS[unicodedata.category(character)[0]]


@dataclass(slots=True)
class _Translation:
    """One pass over a pattern, left to right."""

    pattern: str
    position: int = 0
    has_categories: bool = False
    literals: set[str] = field(default_factory=set)
    """Characters beyond ASCII that the pattern names itself."""

    def text(self) -> str:
        """Return the whole pattern for `re`."""
        out: list[str] = []
        # `(?s)` lets the dot match line ends too, in both languages.
        dot = "." if self.pattern.startswith("(?s)") else _NO_LINE_END
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if character == "[":
                out.append(self._character_class())
            elif character == "\\":
                out.append(self._escape(outside=True))
            else:
                self.position += 1
                out.append(dot if character == "." else self._literal(character))
        return "".join(out)

    def _character_class(self) -> str:
        self.position += 1
        negated = self.pattern.startswith("^", self.position)
        self.position += negated
        content = self._class_content()
        return f"[{'^' if negated else ''}{content}]"

    def _class_content(self) -> str:
        """Return what stands in a class, up to and past its end; a class inside it is a union."""
        out: list[str] = []
        while self.position < len(self.pattern):
            character = self.pattern[self.position]
            if character == "]":
                self.position += 1
                return "".join(out)
            if self.pattern.startswith(("&&", "[^"), self.position):
                raise ValueError(f"`{self.pattern}` intersects classes, which is not translated")
            if character == "[":
                self.position += 1
                out.append(self._class_content())
            elif character == "\\":
                out.append(self._escape(outside=False))
            else:
                self.position += 1
                # A sign doubled in a class may come to mean an operation in `re`.
                out.append(f"\\{character}" if character in "&|~^" else self._literal(character))
        raise ValueError(f"`{self.pattern}` has a class without end")

    def _escape(self, *, outside: bool) -> str:
        category = _CATEGORY.match(self.pattern, self.position)
        if category:
            self.position = category.end()
            self.has_categories = True
            members = re.escape(_ASCII[category[1]]) + _STAND_INS[category[1]]
            return f"[{members}]" if outside else members
        unit = _CODE_UNIT.match(self.pattern, self.position)
        if unit:
            return self._code_point(unit)
        byte = _CODE_BYTE.match(self.pattern, self.position)
        if byte:
            self.position = byte.end()
            return re.escape(self._literal(chr(int(byte[1], 16))))
        escaped = self.pattern[self.position : self.position + 2]
        if escaped[1:].isalpha() and escaped[1] not in "wWdDsSbBtnrf":
            raise ValueError(f"`{self.pattern}` has the escape `{escaped}`, which is not translated")
        self.position += 2
        return escaped

    def _code_point(self, unit: re.Match[str]) -> str:
        code = int(unit[1], 16)
        self.position = unit.end()
        low = _CODE_UNIT.match(self.pattern, self.position)
        if 0xD800 <= code < 0xDC00 and low and 0xDC00 <= int(low[1], 16) < 0xE000:
            self.position = low.end()
            code = 0x10000 + ((code - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
        return re.escape(self._literal(chr(code)))

    def _literal(self, character: str) -> str:
        if not character.isascii():
            self.literals.add(character)
        return character
