"""Languages to test pages in: one that wraps every text in brackets, and one that was compiled as a translator does it."""

from __future__ import annotations

import re
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from crownkeep.translation import DOMAIN, Language

SHOWN_ATTRIBUTES = {"alt", "aria-description", "aria-label", "placeholder", "title"}
NOT_SHOWN = {"code", "kbd", "pre", "samp", "script", "style", "textarea", "time"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class _Bracketed(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


BRACKETED = Language("qps", _Bracketed())


def compile_catalogue(folder: Path, language: str, texts: dict[str | tuple[str, str], str | tuple[str, ...]]) -> None:
    """Write the catalogue of a language below a folder, as `pybabel compile` does."""
    catalogue = Catalog(locale=language)
    for message, translated in texts.items():
        catalogue.add(message, translated)
    place = folder / language / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / f"{DOMAIN}.mo").open("wb") as file:
        write_mo(file, catalogue)


class _Outside(HTMLParser):
    """The texts that stand outside all brackets, which may open in one element and close in another."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._depth = 0
        self._within: list[str] = []
        self._aside: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [_outside(value or "", 0)[0] for name, value in attrs if name in SHOWN_ATTRIBUTES]
        if tag not in VOID:
            self._within.append(tag)
            self._aside.append(
                tag in NOT_SHOWN or bool({"code", "secret", "seed"} & set((dict(attrs).get("class") or "").split()))
            )

    def handle_endtag(self, tag: str) -> None:
        while self._within and tag in self._within:
            self._aside.pop()
            if self._within.pop() == tag:
                break

    def handle_data(self, data: str) -> None:
        text, self._depth = _outside(data, self._depth)
        if not any(self._aside):
            self.found.append(text)


def _outside(text: str, depth: int) -> tuple[str, int]:
    kept = ""
    for each in text:
        depth += {"⟦": 1, "⟧": -1}.get(each, 0)
        if not depth and each != "⟧":
            kept += each
    return kept, depth


def outside_brackets(page: str) -> list[str]:
    """Return the texts of a page, and of its attributes that are shown or read out, which no catalogue was asked for."""
    parser = _Outside()
    parser.feed(page)
    return [text for each in parser.found if re.search(r"[A-Za-z]{2}", text := " ".join(each.split()))]
