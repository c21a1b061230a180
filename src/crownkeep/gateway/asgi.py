"""The server's ASGI application: one port for the AWS APIs, the pages, health and metrics.

Plain ASGI, because a router costs a quarter of what a whole signed request does; only the pages have one.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from crownkeep import clock, server_address
from crownkeep.gateway import event_streams, s3_paths, slow_requests
from crownkeep.gateway.connections import Connections
from crownkeep.gateway.http import Application, BodyTooLarge, Disconnected, Edge, HttpRequest, Receive, Scope, Send, peer_of
from crownkeep.gateway.metrics import Metrics
from crownkeep.gateway.pipeline import Pipeline
from crownkeep.gateway.responses import Response
from crownkeep.operations.streams import Streams
from crownkeep.storage.database import DatabaseFault
from crownkeep.storage.trail.tree import IncompleteTree
from crownkeep.trail import publishing, witness
from crownkeep.trail.publishing import Published
from crownkeep.trail.witness import WitnessAnswer

if TYPE_CHECKING:
    from crownkeep.gateway.traces import Traces

_log = logging.getLogger("crownkeep.gateway")


class Runtime(Protocol):
    """What the application needs of the wiring, once it runs."""

    @property
    def pipeline(self) -> Pipeline:
        """The AWS endpoints."""

    @property
    def pages(self) -> Application:
        """The web pages."""

    @property
    def traces(self) -> Traces | None:
        """The traces that requests leave; None where nobody wants any."""

    def is_ready(self) -> bool:
        """Tell whether the database answers."""

    def may_observe(self, authorization: str) -> bool:
        """Tell whether an Authorization header opens the metrics."""

    def writer_queue(self) -> int:
        """Return how many works wait for the writer."""

    def caches(self) -> Mapping[str, int]:
        """Return about how many bytes each cache takes."""

    def published(self, path: str) -> bytes | None:
        """Return what the issuer of an account's web identities publishes at a path, None where that is nothing."""

    def transparent(self, path: str) -> Published | None:
        """Return what the trail publishes at a path beneath `/tlog/`, None where that is nothing."""

    @property
    def streams(self) -> Streams:
        """The reads that go on."""

    async def cosign(self, method: str, path: str, body: bytes) -> WitnessAnswer:
        """Return what the witness answers at a path beneath `/tlog-witness/`."""


# Paths that belong to the pages; everything else is an AWS request. The access portal's API shares two names with pages: it has
# `/federation/credentials` and answers POST at `/logout`.
_EVENTS = b"/events"
"""Where events are streamed; without an Authorization header it is a page's, which knows its session by a cookie."""
_PAGES = (b"/signin/", b"/start/", b"/console/", b"/approvals/", b"/static/", b"/.well-known/")
_OBSERVED = (b"/health", b"/ready", b"/metrics")
_PAGE = frozenset(
    {
        *(b"/signin", b"/console", b"/approvals", b"/switchrole", b"/federation", b"/favicon.ico"),
        *(b"/v1/authorize", b"/authorize"),
    }
)
_HTML = b"text/html"
_ROOT = (b"/", b"")
_NO_TOKEN = b"send `Authorization: Bearer` and the token in `metrics.token` of the data directory\n"
_ISSUERS = server_address.OUTBOUND_IDENTITY.encode() + b"/"
_TLOG = publishing.PREFIX.encode()
_PUBLISHED = (_ISSUERS, _TLOG)
_WITNESS = witness.PREFIX.encode()


Opened = TypeVar("Opened", bound=Runtime)


class Server(Generic[Opened]):
    """The ASGI application; `start` makes the house when the server does, `stop` ends it."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Opened]],
        stop: Callable[[Opened], Awaitable[None]],
        edge: Edge,
        connections: Connections,
        slow_after: float = math.inf,
    ) -> None:
        self._start = start
        self._stop = stop
        self._edge = edge
        self._connections = connections
        self._metrics = Metrics(connections)
        self._slow_after = slow_after
        self._house: Opened | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                # uvicorn hands this state to each connection: so the protocol reaches the application without a global.
                scope.setdefault("state", {}).update(
                    connections=self._connections, take=self.take, take_plain=self.take_plain, end=self.end
                )
                await self._lifespan(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1003})

    def take(self, scope: Scope, body: bytes, respond: Callable[[Response], None]) -> bool:
        """Take in an AWS request that has come as a whole, and return whether it is one; all else goes the way of ASGI.

        The same request comes to the same: ASGI's way only costs a task and a chain of coroutines more.
        """
        house = self._house
        path: bytes = scope["raw_path"]
        if house is None or not _is_for_aws(scope, path):
            return False
        try:
            request = self._edge.whole(scope, body)
        except BodyTooLarge:
            return False
        self._hand_over(house, request, peer_of(scope), respond)
        return True

    def take_plain(
        self,
        headers: Mapping[bytes, bytes],
        body: bytes,
        peer: str,
        scheme: str,
        tls: tuple[str, str],
        respond: Callable[[Response], None],
    ) -> bool:
        """Take in a signed POST at the root that was read as a whole (`plain_head`), and return whether it could be."""
        house = self._house
        if house is None:
            return False
        request = self._edge.plain(headers, body, peer=peer, scheme=scheme, tls=tls)
        self._hand_over(house, request, peer, respond)
        return True

    def _hand_over(self, house: Runtime, request: HttpRequest, peer: str, respond: Callable[[Response], None]) -> None:
        began = clock.monotonic()

        def responded(response: Response) -> None:
            respond(response)
            self._observed(house, request, peer, response, began)

        house.pipeline.take(request, responded)

    def _observed(self, house: Runtime, request: HttpRequest, peer: str, response: Response, began: float) -> None:
        """Count an AWS request that has been answered, and tell of it where somebody wants to hear: the log, and traces."""
        seconds = clock.monotonic() - began
        self._metrics.count(response.service, response.operation, response.code, seconds)
        if seconds >= self._slow_after:
            slow_requests.tell(response, seconds)
        if house.traces is not None:
            house.traces.answered(request, peer, response, seconds)

    def end(self) -> None:
        """End what would go on for longer than a server that stops may wait."""
        if self._house is not None:
            self._house.streams.end()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._house = await self._start()
        except Exception as error:
            _log.exception("start-up failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            # Raised again: uvicorn then ends the process with a failure, which is what the service manager must see.
            raise
        watch = asyncio.get_running_loop().create_task(self._connections.watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watch.cancel()
        await self._stop(self._house)
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        house = self._house
        # The path as it came over the wire: once decoded, `%2f` could lead to another handler than the path that was signed.
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        if house is None:
            await _send(send, 503, [(b"content-type", b"text/plain")], b"starting\n")
        elif _is_for_aws(scope, path):
            await self._aws(house, scope, receive, send)
        elif _is_stream(scope, path):
            await self._stream(house, scope, receive, send)
        elif path.startswith(_WITNESS):
            await self._witness(house, scope, receive, send)
        elif not _is_published(scope, path):
            await self._page(house, scope, receive, send)
        elif path in _OBSERVED:
            await self._observe(house, scope, path, send)
        elif path.startswith(_TLOG):
            await self._tlog(house, path, send)
        else:
            await self._publish(house, path, send)

    async def _page(self, house: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        located = self._edge.locate(scope)
        if house.traces is None:
            await house.pages(located, receive, send)
        else:
            await house.traces.serve_page(house.pages, located, receive, send, peer=peer_of(scope))

    async def _observe(self, house: Runtime, scope: Scope, path: bytes, send: Send) -> None:
        match path:
            # Health needs no token and says nothing; readiness says whether the database answers, and no more.
            case b"/health":
                await _send(send, 200, [(b"content-type", b"application/json")], b'{"status": "ok"}\n')
            case b"/ready":
                ready = house.is_ready()
                body = b'{"status": "ready"}\n' if ready else b'{"status": "the database does not answer"}\n'
                await _send(send, 200 if ready else 503, [(b"content-type", b"application/json")], body)
            case _ if not house.may_observe(_header(scope, b"authorization")):
                challenge = (b"www-authenticate", b'Bearer realm="crownkeep"')
                await _send(send, 401, [(b"content-type", b"text/plain"), challenge], _NO_TOKEN)
            case _:
                from crownkeep.gateway import exposition  # Prometheus's library, which nobody else needs

                body = exposition.render(self._metrics.read(), writer_queue=house.writer_queue(), caches=house.caches())
                await _send(send, 200, [(b"content-type", exposition.CONTENT_TYPE)], body)

    async def _publish(self, house: Runtime, path: bytes, send: Send) -> None:
        """Return what anybody may read, and many servers do: the keys that web identity tokens are verified with."""
        try:
            body = house.published(path.decode("latin-1"))
        except DatabaseFault:
            await _send(send, 503, [(b"content-type", b"text/plain")], b"the database does not answer\n")
            return
        if body is None:
            await _send(send, 404, [(b"content-type", b"text/plain")], b"nothing is published here\n")
            return
        await _send(send, 200, [(b"content-type", b"application/json"), (b"cache-control", b"public, max-age=300")], body)

    async def _tlog(self, house: Runtime, path: bytes, send: Send) -> None:
        """Return what the trail publishes: its newest checkpoint, and tiles, which never change."""
        try:
            found = house.transparent(path.decode("latin-1").removeprefix(publishing.PREFIX))
        except (DatabaseFault, IncompleteTree):
            await _send(send, 503, [(b"content-type", b"text/plain")], b"the trail can't be read\n")
            return
        if found is None:
            await _send(send, 404, [(b"content-type", b"text/plain")], b"nothing is published here\n")
            return
        headers = [(b"content-type", found.content_type.encode()), (b"cache-control", found.cache_control.encode())]
        await _send(send, 200, headers, found.body)

    async def _witness(self, house: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a log that wants its checkpoint cosigned, or whoever reads what was."""
        try:
            request = await self._edge.read(scope, receive)
        except Disconnected:
            return
        except BodyTooLarge:
            await _send(send, 413, [(b"content-type", b"text/plain")], b"a checkpoint with its proof is shorter\n")
            return
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        answer = await house.cosign(scope["method"], path.decode("latin-1").removeprefix(witness.PREFIX), request.body)
        await _send(send, answer.status, [(b"content-type", answer.content_type.encode())], answer.body)

    async def _stream(self, house: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the answer of a signed request go on as server-sent events, until either side ends."""
        try:
            request = await self._edge.read(scope, receive)
        except (Disconnected, BodyTooLarge):
            return
        began = clock.monotonic()
        response = await house.pipeline.respond(request)
        self._observed(house, request, peer_of(scope), response, began)
        if response.begun is None:
            await _send(send, response.status, response.headers, response.body)
            return
        # Authorized and recorded like any read, and only then does it go on.
        await event_streams.serve(house.streams.follow(*response.begun), receive, send)

    async def _aws(self, house: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
        began = clock.monotonic()
        try:
            request = await self._edge.read(scope, receive)
        except Disconnected:
            return
        except BodyTooLarge:
            request = self._edge.without_body(scope)
            response = await house.pipeline.refuse_too_large(request)
        else:
            response = await house.pipeline.respond(request)
        # An answer to HEAD has no content, whatever it would be the answer of (RFC 9110, 9.3.2).
        await _send(send, response.status, response.headers, b"" if scope["method"] == "HEAD" else response.body)
        self._observed(house, request, peer_of(scope), response, began)


def _is_for_aws(scope: Scope, path: bytes) -> bool:
    """Tell whether a request is for the AWS APIs, by either way that it may have come."""
    # Clients of query services post to the root; a browser that opens the root gets the pages.
    if path in _ROOT and not _is_a_browser(scope):
        return True
    if not (_is_for_pages(scope, path) or _is_published(scope, path) or _is_stream(scope, path) or path.startswith(_WITNESS)):
        return True
    # Whatever it is called: a bucket may have the name of a page.
    return s3_paths.is_signed(_header(scope, b"authorization"), scope["query_string"])


def _is_published(scope: Scope, path: bytes) -> bool:
    """Tell whether a request asks for what this server says of itself, or of what is in it, to whoever asks."""
    return scope["method"] in ("GET", "HEAD") and (path in _OBSERVED or path.startswith(_PUBLISHED))


def _is_stream(scope: Scope, path: bytes) -> bool:
    """Tell whether a signed request asks for an answer that goes on."""
    accepts = event_streams.TYPE in _header(scope, b"accept")
    return path == _EVENTS and scope["method"] == "GET" and accepts and not _is_unsigned(scope)


def _is_unsigned(scope: Scope) -> bool:
    return b"X-Amz-" not in scope["query_string"] and _header(scope, b"authorization") == ""


def _is_for_pages(scope: Scope, path: bytes) -> bool:
    if path.startswith(_PAGES) or path in _PAGE:
        return True
    if path == _EVENTS and event_streams.TYPE in _header(scope, b"accept") and scope["method"] == "GET":
        return _is_unsigned(scope)
    # Whatever else a browser visits is a page too, if only the one that says there is none; programs get AWS's answer.
    return scope["method"] in ("GET", "HEAD") and not path.startswith(b"/operator/") and _is_a_browser(scope)


def _is_a_browser(scope: Scope) -> bool:
    query = scope["query_string"]
    # A signed or query request may carry a browser's Accept header (federation tools do): that doesn't make it a visit.
    is_for_aws = b"Action=" in query or b"X-Amz-" in query or _header(scope, b"authorization") != ""
    return not is_for_aws and _HTML in _header(scope, b"accept").encode("latin-1")


def _header(scope: Scope, name: bytes) -> str:
    return b",".join(value for each, value in scope["headers"] if each == name).decode("latin-1")


async def _send(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    every = [*headers]
    # The length of what is not sent, in answers to HEAD, is known to whoever makes them.
    if not any(name == b"content-length" for name, _ in every):
        every.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})
