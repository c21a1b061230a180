"""The manual: the project's documents as pages of the console, so that they are those of the version that runs.

They lie below `crownkeep/manual` and are rendered when somebody first opens them. Nothing but them can be opened: a name is
looked up among theirs, and never becomes a path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

import crownkeep

PLACE = "/console/help"
_FOLDER = Path(crownkeep.__file__).parent / "manual"
_TITLE = re.compile(r"# (.+)\n")
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class ManualPage:
    """One document: what it is called, and its text as markup."""

    name: str
    title: str
    text: Markup


@cache
def titles() -> Mapping[str, str]:
    """Return what every document is called, by its name."""
    found = {}
    for path in sorted(_FOLDER.rglob("*.md")):
        with path.open(encoding="utf-8") as opened:
            first = _TITLE.match(opened.readline())
        found[path.relative_to(_FOLDER).with_suffix("").as_posix()] = first[1].strip() if first else path.stem
    return found


@cache
def find(name: str) -> ManualPage | None:
    """Return a document; None where there is none of that name."""
    if name not in titles():
        return None
    tokens = _markdown.parse((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    _name_headings(tokens)
    for token in tokens:
        for child in token.children or ():
            _lead(child, name)
        _close_unled(token.children or ())
    # The page has the first heading itself. All text is escaped, so that these are tags of the renderer's alone.
    text = _markdown.renderer.render(tokens[3:], _markdown.options, {})
    text = text.replace("<pre>", '<pre tabindex="0">').replace("</table>", "</table></div>")
    text = text.replace("<table>", '<div class="table-scroll" tabindex="0"><table>')
    return ManualPage(name, titles()[name], Markup(text))  # noqa: S704 - the documents are ours, and what is markup in them is escaped


def address(name: str, heading: str = "") -> str:
    """Return where a document is, or one heading of it."""
    return f"{PLACE}/{name}#{heading}" if heading else f"{PLACE}/{name}"


def _name_headings(tokens: Sequence[Token]) -> None:
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            # As GitHub names them, which links among the documents go by.
            words = re.sub(r"[^\w\s-]", "", tokens[place + 1].content.lower())
            token.attrSet("id", words.strip().replace(" ", "-"))


def _lead(token: Token, name: str) -> None:
    """Lead a link to the page of the document that it means; what is not among them is no link, and there are no pictures."""
    if token.type == "image":
        token.type, token.tag, token.content, token.children = "text", "", "", []
    if token.type != "link_open":
        return
    meant = urlsplit(str(token.attrGet("href") or ""))
    if meant.scheme:
        token.attrSet("rel", "noreferrer")
        return
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), meant.path)) if meant.path else f"{name}.md"
    known = path.removesuffix(".md")
    if path.endswith(".md") and known in titles():
        token.attrSet("href", address(known, meant.fragment))
    else:
        token.tag, token.attrs = "span", {}


def _close_unled(children: Sequence[Token]) -> None:
    tags: list[str] = []
    for child in children:
        if child.type == "link_open":
            tags.append(child.tag)
        elif child.type == "link_close":
            child.tag = tags.pop()
