"""Columns of lists: which a person sees is theirs to choose, and their browser keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from starlette.requests import Request

from crownkeep.console.kit import web
from crownkeep.console.kit.cookies import Cookie

_KEPT = timedelta(days=365)


def chosen(request: Request, list_name: str, every: Mapping[str, str], usual: Sequence[str]) -> list[str]:
    """Return the columns to show, in the order of `every`: those that were chosen, or the usual ones."""
    kept = _read(web.of(request).cookie(Cookie.COLUMNS)).get(list_name)
    wanted = usual if kept is None else kept
    # The cookie is a browser's word: what is no column of this list falls out here.
    return [name for name in every if name in wanted]


def choose(request: Request, list_name: str, every: Mapping[str, str], wanted: Sequence[str]) -> None:
    """Keep which columns of a list are shown, beside what is kept of other lists."""
    kept = {**_read(web.of(request).cookie(Cookie.COLUMNS)), list_name: [name for name in every if name in wanted]}
    written = "~".join(".".join([name, *columns]) for name, columns in sorted(kept.items()))
    web.of(request).set_cookie(Cookie.COLUMNS, written, lasts=_KEPT)


def _read(value: str) -> dict[str, list[str]]:
    found = (each.split(".") for each in value.split("~") if each)
    return {name: columns for name, *columns in found}
