"""Translation of texts for people: English stands in the code, other languages in message catalogues (GNU gettext).

    locale/crownkeep.pot                      every text, extracted from the code by scripts/make_message_catalogue.py
    locale/LANGUAGE/LC_MESSAGES/crownkeep.mo  a language's translation, compiled

English is the only language there is so far. What AWS's API says (errors, names of actions) is never translated.
"""

from __future__ import annotations

import gettext as catalogues
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "crownkeep"
FOLDER: Final = Path(__file__).parent / "locale"
_MOST_RANGES: Final = 20
_LONGEST_RANGE: Final = 64
_MOST_KNOWN: Final = 8192


@dataclass(frozen=True, slots=True)
class Language:
    """A language that texts can be shown in: its tag (BCP 47) and its messages."""

    tag: str
    messages: catalogues.NullTranslations


_PLACE: Final = re.compile(r"%\((\w+)\)s")
ENGLISH: Final = Language("en", catalogues.NullTranslations())
_spoken: ContextVar[Language] = ContextVar("spoken", default=ENGLISH)


def gettext(message: str, /, **values: object) -> str:
    """Return a text in the language that is spoken now, with `%(name)s` replaced by the value of that name.

    A per cent sign that begins no such place is written twice. The message is written at the call, or marked by `gettext_noop`:
    what is put together at run time is in no catalogue.
    """
    return look_up_places(message) % values


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return a text in the form that the language has for so many, with `%(num)s` replaced by the count."""
    return look_up_plural(one, many, count) % {"num": count, **values}


def gettext_noop(message: str) -> str:
    """Return the message as it is: it is marked for the catalogue here, and looked up where it is shown."""
    return message


def look_up(message: str) -> str:
    """Return the translation of a message in which nothing is filled in; the message itself where there is none."""
    # A catalogue's own head stands under the empty message.
    return _spoken.get().messages.gettext(message) if message else ""


def look_up_places(message: str) -> str:
    """Return the translation of a message, its places unfilled; the message itself where a place of it is not the message's."""
    found = look_up(message)
    return found if found is message or _has_places_of(found, message) else message


def look_up_plural(one: str, many: str, count: int) -> str:
    """Return the translation for so many, its places unfilled; the message itself as `look_up_places` does."""
    found = _spoken.get().messages.ngettext(one, many, count)
    if found is one or found is many or _has_places_of(found, one + many):
        return found
    return one if count == 1 else many


@lru_cache(maxsize=_MOST_KNOWN)
def _has_places_of(text: str, message: str) -> bool:
    # A translator's slip must not keep a page from being shown.
    filled = text.replace("%%", "")
    return "%" not in _PLACE.sub("", filled) and {"num", *_PLACE.findall(message)}.issuperset(_PLACE.findall(filled))


def spoken() -> Language:
    """Return the language that texts are shown in now."""
    return _spoken.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Show texts in a language, in this task or thread, until the block ends."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


@cache
def languages(folder: Path = FOLDER) -> Mapping[str, Language]:
    """Return the languages that have a catalogue, English first, by their tags in lower case."""
    found = sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    others = {file.parts[-3].replace("_", "-"): file for file in found}
    return {ENGLISH.tag: ENGLISH, **{tag.lower(): _read(tag, file) for tag, file in others.items()}}


def _read(tag: str, file: Path) -> Language:
    with file.open("rb") as opened:
        return Language(tag, catalogues.GNUTranslations(opened))


def preferred(accept_language: str, among: Mapping[str, Language] | None = None) -> Language:
    """Return the language that a browser likes best by its `Accept-Language` (RFC 9110, 12.5.4), English where it likes none.

    A range matches the language itself or a wider one (RFC 4647, 3.4): `de-AT` is served by `de`.
    """
    known = languages() if among is None else among
    if len(known) == 1:
        return ENGLISH
    # Only so many are read: the header is whatever a stranger sends.
    ranges = [_weighed(each) for each in accept_language.split(",", _MOST_RANGES)[:_MOST_RANGES]]
    for tag, weight in sorted(ranges, key=lambda each: -each[1]):
        while tag and weight > 0:
            if found := known.get(tag):
                return found
            tag = tag.rpartition("-")[0]
    return ENGLISH


def _weighed(written: str) -> tuple[str, float]:
    tag, _, weight = written[:_LONGEST_RANGE].lower().partition(";")
    try:
        return tag.strip(), float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        return tag.strip(), 0
