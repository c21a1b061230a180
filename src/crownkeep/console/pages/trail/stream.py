"""The account's events as they come, for a page that is open: StreamEvents by the browser's session."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from crownkeep.console.kit import web
from crownkeep.errors import AwsError
from crownkeep.operations import streams
from crownkeep.signin import acting

PATH = "/events"
_OURS = ("same-origin", "none")


async def stream(request: Request) -> Response:
    """Stream events from the index that the browser has come to; a program hears in plain text why not."""
    here = web.of(request)
    if here.session is None:
        return PlainTextResponse("sign in, or sign the request\n", 401)
    if request.headers.get("sec-fetch-site", "same-origin") not in _OURS:
        return PlainTextResponse("that is no page of this server\n", 403)
    asked = {"After": _index(request.query_params.get("after", "")), "LastEventId": request.headers.get("last-event-id", "")}
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    wanted = acting.request(web.actor(request), "trail", "StreamEvents", given)
    answer = await here.door.invoke(wanted)
    if answer.error is not None:
        return PlainTextResponse(f"{answer.error.message}\n", 403 if answer.error.code.startswith("AccessDenied") else 400)
    following = here.door.streams.follow(wanted, answer.result)
    try:
        first = await anext(following)
    except AwsError:
        return PlainTextResponse("too many streams are open: try again in a few seconds\n", 503, {"retry-after": "5"})

    async def text() -> AsyncGenerator[bytes]:
        yield first
        async for part in following:
            yield part

    return StreamingResponse(text(), headers=streams.HEADERS)


def _index(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


ROUTES = [Route(PATH, stream, methods=["GET"])]
