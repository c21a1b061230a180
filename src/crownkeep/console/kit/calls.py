"""Calls of the console's pages: what was found or why not, what was changed, and the event that keeps the change.

users = await calls.ask(request, "iam", "ListUsers")        a result, or a Refused that the page shows in its place
done = await calls.change(request, "iam", "DeleteUser", {"UserName": name})     raises the AwsError of a refusal
return calls.go(request, "/console/users", done)            and the page after it says what was called
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from crownkeep import errors
from crownkeep.console.kit import missing_permissions, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.missing_permissions import Help
from crownkeep.errors import AwsError
from crownkeep.signin import acting
from crownkeep.translation import gettext

Found = Mapping[str, Any]

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_BUSY = frozenset({"Throttling", "ThrottlingException", "ServiceUnavailable", "InternalFailure"})
_DONE = re.compile(r"(?P<calls>[A-Za-z0-9:,-]{1,1000})\.(?P<seal>[0-9a-f]{32})")
_CALL = re.compile(r"(?P<action>[a-z-]+:[A-Za-z0-9]+):(?P<event>[0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that was refused, in words for the page that has to do without its answer."""

    action: str
    code: str
    message: str
    request_id: str

    @property
    def is_denied(self) -> bool:
        """Whether a permission is missing, rather than the thing that was asked for."""
        return self.code in _DENIED

    @property
    def sentence(self) -> str:
        """What to tell a person."""
        if self.is_denied:
            return gettext("This needs the permission %(action)s, which you don't have here.", action=self.action)
        return self.message

    @property
    def help(self) -> Help | None:
        """Who can change it, and how; None where no permission is missing."""
        return missing_permissions.help_for(self.action, self.message) if self.is_denied else None


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made, and the id of its event in the trail."""

    action: str
    event_id: str


async def ask(request: Request, service: str, operation: str, parameters: Mapping[str, object] | None = None) -> Found | Refused:
    """Ask for what a part of a page shows; a refusal is answered, so that the other parts still show.

    Raises the AwsError of an ended session or of a server that is too busy, for then there is no page.
    """
    try:
        return await web.call(request, service, operation, parameters)
    except AwsError as error:
        if error.code == "ExpiredToken" or error.code in _BUSY:
            raise
        found = refused(request, Equivalent(service, operation), error)
        if found.is_denied:
            web.of(request).denied.add(found.action)
        return found


async def change(request: Request, service: str, operation: str, parameters: Mapping[str, object]) -> Done:
    """Change something as whoever is signed in; raises the AwsError that a caller of the API would be told."""
    wanted = acting.request(web.actor(request), service, operation, parameters)
    answer = await web.of(request).door.invoke(wanted)
    if answer.error is not None:
        require_name(answer.error)
        raise answer.error
    return Done(f"{service}:{operation}", answer.event_id)


def require_name(error: AwsError) -> None:
    """Raise NameNeeded where an act is refused because nobody could administer the account after it."""
    if isinstance(error, errors.LastWayInUnconfirmed):
        raise web.NameNeeded(error.message) from error


def own(name: str, event_id: str) -> Done:
    """Name an act for which AWS has no operation, as the trail does."""
    return Done(f"signin:{name}", event_id)


def refused(request: Request, call: Equivalent, error: AwsError) -> Refused:
    """Put a refusal into words, with the id that its record has."""
    # No permission is missing where the guard of the last way in refuses, or a seal: the message says how to ask.
    is_permitted = isinstance(error, errors.LastWayIn | errors.ApprovalRequired)
    code = type(error).__name__ if is_permitted else error.code
    return Refused(call.action, code, error.message, web.of(request).origin.request_id)


def go(request: Request, path: str, *made: Done, undo: str = "") -> Response:
    """Send the browser to a page that says what was called; only what this session did itself can be said there.

    `undo` is an offer of the module undo.
    """
    calls = ",".join(f"{each.action}:{each.event_id}" for each in made)
    mark = "&" if "?" in path else "?"
    offered = f"&undo={undo}" if undo else ""
    return web.go(f"{path}{mark}done={quote(calls, safe=':,')}.{_seal(request, calls)}{offered}")


def done(request: Request) -> list[Done]:
    """Return the changes that brought the browser here; none where the address was made up."""
    # Without the seal a link from elsewhere could tell people that something was done in their name.
    said = _DONE.fullmatch(request.query_params.get("done", ""))
    if said is None or not compare_digest(said["seal"], _seal(request, said["calls"])):
        return []
    return [Done(each["action"], each["event"]) for each in _CALL.finditer(said["calls"])]


def _seal(request: Request, calls: str) -> str:
    return web.seal(request, f"done {calls}")
