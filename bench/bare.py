"""The ceiling: an ASGI function that reads a request and answers a fixed text, checking and recording nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

_BODY = b"<GetCallerIdentityResponse>" + b" " * 400 + b"</GetCallerIdentityResponse>"
_HEADERS = [(b"content-type", b"text/xml"), (b"content-length", str(len(_BODY)).encode())]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def answer(_: dict[str, Any], receive: Receive, send: Send) -> None:
    """Return one request."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
