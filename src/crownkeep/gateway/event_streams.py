"""Server-sent events on the wire: the text of a stream is sent as it comes, until it ends or nobody is there any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from crownkeep.errors import AwsError
from crownkeep.gateway.http import Receive, Send
from crownkeep.operations import streams

TYPE = "text/event-stream"
_HEADERS = [(name.encode(), value.encode()) for name, value in streams.HEADERS.items()]
_TOO_MANY = b"too many streams are open: try again in a few seconds\n"


async def serve(text: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    """Send a stream; one for which there is no room is answered with 503, as SDKs expect of what may be tried again."""
    try:
        first = await anext(text)
    except AwsError:
        headers = [(b"content-type", b"text/plain"), (b"retry-after", b"5"), (b"content-length", str(len(_TOO_MANY)).encode())]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": _TOO_MANY})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    sending, gone = asyncio.ensure_future(_rest(text, send)), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, gone):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await text.aclose()


async def _rest(text: AsyncGenerator[bytes], send: Send) -> None:
    async for part in text:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
