"""HTTP as strangers may speak it: uvicorn's protocol, with limits on what it holds before a request is one.

httptools keeps no count of its own: it takes a header of any length, for any time. So bytes are counted on their way to it, and
what a connection waits for is known to `connections`. Nothing is logged of what strangers send; metrics count it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from crownkeep.gateway import plain_head
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.connections import Connections, Ended, Stage

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

    from crownkeep.gateway.responses import Response

Take = Callable[[Any, bytes, "Callable[[Response], None]"], bool]
TakePlain = Callable[[dict[bytes, bytes], bytes, str, str, tuple[str, str], "Callable[[Response], None]"], bool]

LARGEST_HEAD = 64 * 1024
"""Bytes of a request line and headers, and of what frames a body: chunks' sizes, extensions and trailers."""

MOST_HEADERS = 200
MOST_PIPELINED = 16
"""Requests that may wait for the answer to an earlier one of their connection."""

LARGEST_REST = 1024 * 1024
"""Bytes that are read and dropped of a body that was refused, so that its sender gets to see why."""

_NO_TLS = ("", "")
_FED_AT_ONCE = 16 * 1024
_BYTES_OF_FRAME = 8
"""A byte of framing is allowed for so many of content, beyond the first LARGEST_HEAD: tiny chunks cost a call each."""

_TEXTS = {
    400: b"Invalid HTTP request received.\n",
    408: b"The request took too long.\n",
    413: b"The request is too large.\n",
    431: b"The request's headers are too large.\n",
}


class _Refused(Exception):
    """Raised in the parser's callbacks to stop it."""


class _Unawaited:
    """The event of a request that no task waits for: its body was there when it began."""

    def set(self) -> None:
        """Do nothing: uvicorn sets the event when a body has come or the connection is gone, and nobody waits for either."""


class _PlainCycle:
    """What uvicorn's protocol knows of a request that goes on, of one that is plain and has come as a whole."""

    scope: ClassVar = MappingProxyType({"method": "POST"})
    message_event: ClassVar = _Unawaited()
    more_body = False

    def __init__(self) -> None:
        self.disconnected = self.response_started = self.response_complete = self.waiting_for_100_continue = False
        self.keep_alive = True


Cycle = RequestResponseCycle | _PlainCycle


class EdgeProtocol(HttpToolsProtocol):
    """One connection; the application puts the `connections` that it belongs to into its lifespan's state."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state["connections"]
        self._take: Take = app_state["take"]
        self._take_plain: TakePlain = app_state["take_plain"]
        self._end_streams: Callable[[], None] = app_state["end"]
        self._tls: tuple[str, str] | None = None
        """The version and the cipher suite that the connection speaks."""
        self._beginning: tuple[RequestResponseCycle, ASGI3Application] | None = None
        """A request whose head has just been read: it goes to the application as a whole if its body comes with it."""
        self._parsing = Stage.IDLE
        """Which part of a request the parser is in: HEAD, BODY, or between two requests."""
        self._head = 0
        self._wire = 0
        self._content = 0
        # The status of the refusal that a callback asks for: httptools turns whatever is raised there into an error of its own,
        # which says nothing.
        self._fault = 400
        self.stage = Stage.HEAD
        self.since = self._all.tick

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection in, or end it where there is no room."""
        super().connection_made(transport)
        if not self._all.admit(self, self.client[0] if self.client else ""):
            transport.abort()
        spoken = transport.get_extra_info("ssl_object")
        if spoken is not None:
            self._tls = spoken.version() or "", (spoken.cipher() or ("",))[0]

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        self._all.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the parser as far as the limits allow."""
        if self.stage is Stage.IDLE:
            self._enter(Stage.HEAD)
        # The usual case, a whole request in one piece, is fed without slicing. It can't exceed the head's limit: a piece is
        # smaller than that.
        if len(data) <= _FED_AT_ONCE and self._parsing is Stage.IDLE:
            if not self._takes_plain(data):
                self._feed(data)
            return
        position = 0
        # In pieces, so that the head's limit is noticed at most one piece too late: the parser itself would take megabytes in
        # one call.
        while position < len(data) and self.stage is not Stage.LEAVING and not self.transport.is_closing():
            room = _FED_AT_ONCE if self._parsing is Stage.BODY else LARGEST_HEAD - self._head
            if room <= 0:
                self._refuse(431, Ended.HEAD_TOO_LARGE)
                break
            part = data[position : position + min(room, _FED_AT_ONCE)]
            position += len(part)
            self._feed(part)
        if self.stage is Stage.LEAVING:
            self._drop(len(data) - position)

    def _takes_plain(self, data: bytes) -> bool:
        """Take a plain request in without the parser, which stands between two requests meanwhile; tell whether it was one."""
        before: Cycle | None = self.cycle
        # Behind a request that is not answered, or for a client that takes no bytes, requests wait as the parser's side has it.
        if (before is not None and not before.response_complete) or self.flow.write_paused:
            return False
        # Nor is anything served behind bytes that were refused, whatever it looks like.
        if self.stage is Stage.LEAVING:
            return False
        found = plain_head.read(data)
        if found is None:
            return False
        cycle = _PlainCycle()
        peer = self.client[0] if self.client else ""
        if not self._take_plain(*found, peer, self.scheme or "http", self._tls or _NO_TLS, partial(self._respond, cycle)):
            return False
        self.cycle = cycle  # type: ignore[assignment]  # of which uvicorn reads what both have
        self._enter(Stage.SERVED)
        return True

    def end(self, reason: Ended) -> None:
        """End the connection from our side; a client that has sent a part of a request is told so."""
        # Nobody who has sent nothing waits for an answer: a connection that was opened in advance and never used is closed
        # without a word.
        if reason in (Ended.HEAD_TOO_SLOW, Ended.BODY_TOO_SLOW) and self._parsing is not Stage.IDLE:
            self._refuse(408, reason)
            return
        if self.stage is not Stage.LEAVING:
            self._all.count(reason)
        self.transport.abort()

    def shutdown(self) -> None:
        """End the connection once its answer is sent, for the server stops."""
        self._end_streams()
        super().shutdown()

    def unsent(self) -> int:
        """Return how many bytes of answers the client has not taken."""
        return self.transport.get_write_buffer_size()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin to count a request."""
        super().on_message_begin()
        if self._tls is not None:
            self.scope["crownkeep.tls"] = self._tls  # type: ignore[typeddict-unknown-key]  # ASGI's own extension has numbers
        # Framing and content are counted anew for each request, or a long-lived connection would use up its allowance.
        self._parsing = Stage.HEAD
        self._wire = self._content = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer."""
        if self._parsing is Stage.BODY:
            # A trailer: whoever removes headers on the way to us, such as X-Forwarded-For, need not look for them there.
            return
        if len(self.headers) >= MOST_HEADERS:
            self._fault = 431
            raise _Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the application, unless too many requests wait already."""
        # Each request that waits holds its head and its scope: without a bound, a client that never reads fills the memory.
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _Refused
        self._parsing = Stage.BODY
        self._head = 0
        super().on_headers_complete()
        self._settle()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # uvicorn starts a task as soon as the head is read. It is put off until the bytes at hand are parsed: most requests are
        # whole by then and need no task at all.
        self._beginning = cycle, app
        if not cycle.more_body:
            self._begin()

    def _begin(self) -> None:
        """Hand a request over: at once and without a task where it is whole and the application takes it so."""
        if self._beginning is None:
            return
        cycle, app = self._beginning
        self._beginning = None
        # A body that is still coming, or a client that takes no bytes, needs the back pressure that only uvicorn's own way has.
        is_whole = not cycle.more_body and not self.flow.write_paused
        if not is_whole or not self._take(cycle.scope, bytes(cycle.body), partial(self._respond, cycle)):
            super()._start_asgi_task(cycle, app)

    def _respond(self, cycle: Cycle, response: Response) -> None:
        """Send a response as a whole, as uvicorn sends what ASGI applications do."""
        if cycle.disconnected or self.transport.is_closing():
            return
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        parts = [STATUS_LINE[response.status], self._every_answers_headers()]
        has_length = False
        # uvicorn checks this for ASGI applications (response splitting); what goes around them is held to the same.
        for name, value in response.headers:
            if not _is_header_name(name) or HEADER_VALUE_RE.search(value):
                self.transport.abort()
                raise RuntimeError("a header of a response is malformed")
            parts += (name, b": ", value, b"\r\n")
            has_length = has_length or name == b"content-length"
        # The length of what is not sent, in answers to HEAD, is known to whoever makes them.
        if not has_length:
            parts.append(b"content-length: %d\r\n" % len(response.body))
        parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        if cycle.scope["method"] != "HEAD":
            parts.append(response.body)
        self.transport.write(b"".join(parts))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _every_answers_headers(self) -> bytes:
        """Return the lines that uvicorn begins each answer with: its date, by which clients set their clocks right."""
        return _lines(tuple(self.server_state.default_headers))

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on to the application."""
        self._content += len(body)
        # The gateway refuses earlier, by what the sender may send (`Edge`). This bound is for what comes after that refusal.
        if self._content > CALLERS.body + LARGEST_REST:
            self._fault = 413
            raise _Refused
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._parsing = Stage.IDLE
        super().on_message_complete()
        self._begin()
        self._settle()

    def on_response_complete(self) -> None:
        """Go on with the next request, as uvicorn does, without its timer."""
        # uvicorn would start its keep-alive timer here, once a request; `Connections.look` watches all connections by one.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            # Now, also where its body has not come yet: its client may wait to be asked for that (`Expect: 100-continue`).
            self._begin()
        self._settle()

    # Counting.

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as if it had not asked for one, and is the last.
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(self._fault, Ended.HEAD_TOO_LARGE if self._fault == 431 else Ended.MALFORMED)
            return
        # What is left to begin has no whole body yet, and goes the way of ASGI, which reads the body as it comes.
        if self._beginning is not None:
            self._begin()
        if self._parsing is Stage.HEAD:
            self._head += len(data)
        elif self._parsing is Stage.BODY:
            self._wire += len(data)
            # A body in chunks of one byte costs five bytes of framing each, and a parser's callback: an attack that content
            # limits do not see.
            if self._wire - self._content > LARGEST_HEAD + self._content // _BYTES_OF_FRAME:
                self._refuse(400, Ended.MALFORMED)

    def _settle(self) -> None:
        """Say what the connection waits for, now that something has ended or begun."""
        if self._parsing is Stage.BODY:
            self._enter(Stage.BODY)
        elif self.pipeline or not self.cycle.response_complete:
            self._enter(Stage.SERVED)
        else:
            self._enter(self._parsing)

    def _enter(self, stage: Stage) -> None:
        if self.stage is not Stage.LEAVING:
            self.stage = stage
            self.since = self._all.tick

    # Refusing.

    def _refuse(self, status: int, reason: Ended) -> None:
        """Return what is no request, and leave the client a moment to read it: closed at once, it would see a reset."""
        if self.stage is Stage.LEAVING:
            return
        self._all.count(reason)
        # uvicorn sets `cycle` with the first request: before that there is nothing to disturb.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or cycle.response_started or self._parsing is not Stage.BODY:
                # An answer to an earlier request is on its way, and nothing may stand in its middle.
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        text = _TEXTS[status]
        self.transport.write(
            STATUS_LINE[status]
            + self._every_answers_headers()
            + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(text), text)
        )
        # Half a close: the client can read the answer to its end, while what it still sends is read and dropped (RFC 9112,
        # section 9.6).
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._enter(Stage.LEAVING)
        # From here on it counts what is dropped: see `_drop`.
        self._content = 0

    def _drop(self, size: int) -> None:
        self._content += size
        if self._content > LARGEST_REST:
            self.transport.abort()


# uvicorn makes another date each second.
@lru_cache(maxsize=8)
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


# Names are ours, and few.
@lru_cache(maxsize=256)
def _is_header_name(name: bytes) -> bool:
    return HEADER_RE.search(name) is None
