"""Several rows of a list at once: what is to be done with them is reviewed before anything is, and then done call by call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.listing import ConsoleList
from crownkeep.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be called for the chosen rows, and what takes it back."""

    calls: tuple[Equivalent, ...]
    back: tuple[Equivalent, ...] = ()
    unchanged: tuple[str, ...] = ()
    """Rows for which there is nothing to do."""
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class AskedField:
    """One thing that an act asks for."""

    name: str
    label: str
    longest: int
    is_required: bool = True


Suggestion = str | tuple[str, str]
"""What a field may hold, with what it is called where that is something else."""

RowNames = Callable[[Request, Sequence[str]], Awaitable[Mapping[str, str]]]
"""Finds what people call rows that are chosen by their ids."""

Plan = Callable[[Request, Sequence[str], Mapping[str, str]], Awaitable[Planned]]
"""Plans an act for the chosen rows, given what was typed into its fields; plans nothing while something is missing."""


@dataclass(frozen=True, slots=True)
class ChosenAct:
    """One thing that can be done with several rows."""

    title: str
    option: str
    """What the list's choice calls it, after "With the chosen ...:"."""
    button: str
    sentence: Callable[[Planned, str, Mapping[str, str]], str]
    """Says what would be done, given how many rows it concerns, in words, and what was typed."""
    plan: Plan
    asks: tuple[AskedField, ...] = ()
    question: str = ""
    suggested: Callable[[Request], Awaitable[Sequence[Suggestion]]] | None = None
    """Finds what the first field may hold."""
    nothing: str = gettext_noop("There is nothing to do")


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """What can be done with several rows of one list."""

    listing: ConsoleList
    offered: str
    """What the choice among the acts is called, such as "With the chosen users"."""
    counted: Callable[[int], str]
    """Says how many of them there are, such as "2 users"."""
    acts: Mapping[str, ChosenAct]
    label: Callable[[Equivalent], str]
    """Names the row that a call is about."""
    naming: RowNames | None = None
    """None where rows are chosen by what people call them."""

    @property
    def reviewing(self) -> str:
        """Where the choice is sent."""
        return f"/console/{self.listing.noun}-list/review"

    @property
    def applying(self) -> str:
        """Where the review is sent."""
        return f"/console/{self.listing.noun}-list/apply"

    def routes(self) -> list[Route]:
        """Return the routes of the review and of what follows it."""
        return [
            Route(self.reviewing, partial(review, chosen=self), methods=["POST"]),
            Route(self.applying, partial(apply, chosen=self), methods=["POST"]),
        ]


async def review(request: Request, *, chosen: ChosenRows) -> Response:
    """Show what would be done with the chosen rows before anything is."""
    web.signed_in(request)
    names, act = _asked(request, chosen)
    if act is None or not names:
        return web.go(chosen.listing.folder)
    return await _shown(request, chosen, names, act, await act.plan(request, names, _entered(request, act)))


async def apply(request: Request, *, chosen: ChosenRows) -> Response:
    """Do with the chosen rows what was reviewed; at a refusal the rest is left as it is."""
    web.signed_in(request)
    names, act = _asked(request, chosen)
    folder = chosen.listing.folder
    if act is None or not names:
        return web.go(folder)
    # Planned anew, and not read from the review's form: the rows may have changed, and a form may say anything.
    planned = await act.plan(request, names, _entered(request, act))
    if planned.refused is not None or not planned.calls:
        return await _shown(request, chosen, names, act, planned)
    return await parts.change(request, planned.calls, then=folder, current=folder, back=planned.back)


def _asked(request: Request, chosen: ChosenRows) -> tuple[list[str], ChosenAct | None]:
    form = web.form(request)
    # No more than a page shows, whatever a form brings: each row is a call.
    return list(dict.fromkeys(form.all("chosen")))[: parts.ROWS], chosen.acts.get(form.one("act"))


def _entered(request: Request, act: ChosenAct) -> dict[str, str]:
    return {each.name: web.form(request).one(each.name).strip()[: each.longest] for each in act.asks}


async def _shown(request: Request, chosen: ChosenRows, names: Sequence[str], act: ChosenAct, planned: Planned) -> Response:
    count = len(planned.calls) or len(names)
    entered = _entered(request, act)
    suggested = await act.suggested(request) if act.suggested is not None else []
    said = {each[0]: f"{each[1]} ({each[0]})" for each in suggested if not isinstance(each, str)}
    return frame.page(
        request,
        "chosen_rows.html",
        current=chosen.listing.folder,
        same=planned.calls,
        chosen=chosen,
        names=names,
        act=act,
        word=web.form(request).one("act"),
        planned=planned,
        rows=chosen.counted(len(names)),
        sentence=act.sentence(planned, chosen.counted(count), {name: said.get(value, value) for name, value in entered.items()}),
        suggested=suggested,
        entered=entered,
        called=await chosen.naming(request, names) if chosen.naming is not None else {},
    )
