"""Parts of a page, each the answer of one call: what was found or why not; and changes, made in their order."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import calls, frame, undo, web
from crownkeep.console.kit.calls import Done, Found, Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.errors import AwsError
from crownkeep.signin import acting
from crownkeep.signin.acting import Actor
from crownkeep.translation import gettext

ROWS = 50
"""Rows of one page of a list."""

MOST_TOLD = 10
"""Changes that the page after them tells of; more would not fit into its address."""

Show = Callable[[Refused], Awaitable[Response]]
"""Shows a form again, as it was filled in, with the refusal that it met."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call and its answer."""

    call: Equivalent
    found: Found | Refused

    @property
    def refusal(self) -> Refused | None:
        """Why there is no answer."""
        return self.found if isinstance(self.found, Refused) else None

    @property
    def is_missing(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.refusal is not None and self.refusal.code == "NoSuchEntity"

    @property
    def marker(self) -> str:
        """Where the next page of the list begins, empty on the last."""
        if isinstance(self.found, Refused):
            return ""
        return str(self.found.get("Marker") or self.found.get("NextToken") or "")

    def rows(self, member: str) -> Sequence[Any]:
        """Return a list of the answer, empty where the call was refused."""
        return () if isinstance(self.found, Refused) else self.found.get(member, ())

    def text(self, member: str) -> str:
        """Return a text of the answer, empty where the call was refused."""
        return "" if isinstance(self.found, Refused) else str(self.found.get(member, ""))

    def one(self, member: str) -> Mapping[str, Any]:
        """Return a structure of the answer, empty where the call was refused."""
        return {} if isinstance(self.found, Refused) else self.found.get(member, {})


@dataclass(frozen=True, slots=True)
class ChangesMade:
    """What several changes in a row came to: those that were made, and the refusal at which they ended."""

    made: tuple[Done, ...]
    refused: Refused | None


async def ask(request: Request, operation: str, *, service: str = "iam", **parameters: object) -> Part:
    """Ask for a part; parameters are the operation's, and those that are empty are not sent."""
    # `False` and 0 are values and are sent; `in` compares them with neither.
    given = {name: value for name, value in parameters.items() if value not in ("", None)}
    return Part(Equivalent(service, operation, given), await calls.ask(request, service, operation, given))


def equivalents(parts: Sequence[Part]) -> list[Equivalent]:
    """Return the calls of a page's parts."""
    return [part.call for part in parts]


async def obtain(request: Request, wanted: Equivalent, *, actor: Actor | None = None) -> tuple[Found, ChangesMade]:
    """Make one call and return its result, too, such as a new key; the result is empty where it was refused.

    `actor` makes it where that is not the session's principal.
    """
    door = web.of(request).door
    asked = acting.request(actor or web.actor(request), wanted.service, wanted.operation, wanted.parameters)
    answer = await door.invoke(asked)
    if answer.error is not None:
        calls.require_name(answer.error)
        return {}, ChangesMade((), calls.refused(request, wanted, answer.error))
    return answer.result, ChangesMade((Done(wanted.action, answer.event_id),), None)


async def carry_out(request: Request, wanted: Sequence[Equivalent]) -> ChangesMade:
    """Make changes in their order; after a refusal the rest is left undone."""
    made: list[Done] = []
    for each in wanted:
        try:
            # One after the other, as each may need the one before: a user's policies before the user.
            made.append(await calls.change(request, each.service, each.operation, each.parameters))
        except AwsError as error:
            return ChangesMade(tuple(made), calls.refused(request, each, error))
    return ChangesMade(tuple(made), None)


async def change(
    request: Request,
    wanted: Sequence[Equivalent],
    *,
    then: str,
    current: str,
    show: Show | None = None,
    back: Sequence[Equivalent] = (),
) -> Response:
    """Make changes and go on to `then`; a refusal is told by `show`, or on a page that lists what was done before it.

    `back` are the calls that take the changes back, which the page after them offers.
    """
    outcome = await carry_out(request, wanted)
    if show is not None and outcome.refused is not None and not outcome.made:
        return await show(outcome.refused)
    return after(request, outcome, then=then, current=current, back=back)


def after(request: Request, outcome: ChangesMade, *, then: str, current: str, back: Sequence[Equivalent] = ()) -> Response:
    """Go on to `then`, or tell how far the changes came."""
    if outcome.refused is None:
        return calls.go(request, then, *outcome.made[-MOST_TOLD:], undo=undo.offer(request, back, then=then))
    title = gettext("Only a part was done") if outcome.made else gettext("Nothing was changed")
    return result_page(request, outcome, title=title, then=then, current=current)


def result_page(
    request: Request,
    outcome: ChangesMade,
    *,
    title: str,
    then: str,
    current: str,
    secrets: Mapping[str, str] | None = None,
) -> Response:
    """Show what was done and what was refused, and secrets, which no later page can show again (no answer of ours is stored)."""
    status = 403 if outcome.refused is not None and not outcome.made else 200
    return frame.page(
        request,
        "outcome.html",
        current=current,
        status=status,
        title=title,
        outcome=outcome,
        then=then,
        secrets=secrets or {},
    )


def missing(request: Request, part: Part, *, current: str, title: str, back: str) -> Response:
    """Say that what the page is about does not exist."""
    return frame.page(request, "missing.html", current=current, status=404, title=title, missing=part.refusal, back=back)


def address(path: str, /, **query: object) -> str:
    """Write an address of ours; what is empty is left out of its query."""
    given = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(given, quote_via=quote)}" if given else path


def segment(name: str) -> str:
    """Write a name as one segment of a path."""
    return quote(name, safe="")


def readable(document: str) -> str:
    """Write a policy document for people: decoded (IAM answers it percent-encoded) and indented where it is JSON."""
    text = unquote(document)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def chosen(request: Request, name: str, choices: Sequence[str]) -> str:
    """Return what the address chooses among these; the first for anything else."""
    wanted = request.query_params.get(name, "")
    return wanted if wanted in choices else choices[0]


def entered(request: Request, *names: str) -> dict[str, str]:
    """Return what was typed into these fields of a form, without white space around it."""
    form = web.form(request)
    return {name: form.one(name).strip() for name in names}
