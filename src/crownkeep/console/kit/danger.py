"""Acts that can't be undone: what goes is said in words, and a word is typed before anything is changed.

danger.require(request, Ending(word=name, title=f"Delete {name}?", text="...", button="Delete group"))

A form without the word, or with another, is answered by a page that asks for it and sends the same form again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import frame, web

TYPED = "typed"
"""The field in which the word is typed."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends for good."""

    word: str
    """What is typed: the name of what goes, or where it has none, its id."""
    title: str
    text: str
    """What becomes of it, for people."""
    button: str
    back: str = "/console"
    """Where somebody goes who thinks better of it."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Ids and ARNs by what they are called, which the page folds away."""

    def is_meant(self, typed: str) -> bool:
        """Tell whether what was typed is the word; the ids of accounts are also typed in groups, as pages show them."""
        said = typed.strip()
        return self.word in (said, said.replace("-", "") if self.word.isdigit() else said)


class WordNeeded(Exception):
    """The word of an act that can't be undone was not typed: its form is shown again, and asks for it."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.title)
        self.ending = ending


def require(request: Request, ending: Ending) -> None:
    """Raise WordNeeded unless the form of the request has the word."""
    if not ending.is_meant(web.form(request).one(TYPED)):
        raise WordNeeded(ending)


def page(request: Request, ending: Ending) -> Response:
    """Return the page that asks for the word and sends the form again, with all else that was in it."""
    form = web.form(request)
    # Most forms that lead here have no field for the word: asking for it is not yet an error of whoever sent them.
    is_wrong = bool(form.one(TYPED).strip())
    return frame.page(
        request,
        "danger.html",
        current=request.url.path,
        status=400 if is_wrong else 200,
        ending=ending,
        is_wrong=is_wrong,
        action=f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
        fields=[(name, value) for name, value in form.pairs() if name not in ("csrf", TYPED)],
    )
