"""OpenTelemetry traces, with the extra `opentelemetry`: a span for each request; never who asked, or for what.

Imported where `traces_endpoint` is set, and nowhere else. Spans are made once an answer has left, and exported by a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from crownkeep import clock
from crownkeep.gateway import signature, slow_requests
from crownkeep.gateway.http import Application, Edge, HttpRequest, Message, Receive, Scope, Send
from crownkeep.gateway.responses import Response
from crownkeep.settings import Settings

_QUEUE = 2_048
"""The most spans that wait for their export; beyond it the oldest are dropped."""
_BATCH = 512
_MILLISECONDS_BETWEEN_BATCHES = 5_000
_SECONDS_FOR_BATCH = 5.0
_SECONDS_TO_STOP = 5.0
_NANOSECONDS = 1_000_000_000
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
_OTHER_METHOD = "_OTHER"
"""What the conventions call a method that they don't know: clients may write any."""
_PARENT = b"traceparent"
_STATIC = "/static/"


class Traces:
    """The traces of one serving process."""

    def __init__(self, exporter: SpanExporter, *, ratio: float, is_followed: Callable[[str], bool]) -> None:
        """Export this ratio (0 to 1) of all spans, and start the thread that does so; `is_followed` judges an address."""
        self._exporter = exporter
        self._is_followed = is_followed
        self._ratio = ratio
        batches = BatchSpanProcessor(
            exporter,
            max_queue_size=_QUEUE,
            schedule_delay_millis=_MILLISECONDS_BETWEEN_BATCHES,
            max_export_batch_size=_BATCH,
        )
        # What is sampled is decided here, so that no variable of the SDK's decides otherwise.
        resource = Resource.create({"service.name": "crownkeep"})
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(batches)
        self._tracer = self._provider.get_tracer("crownkeep")
        self._propagator = TraceContextTextMapPropagator()

    def answered(self, http: HttpRequest, peer: str, response: Response, seconds: float) -> None:
        """Make the span of an AWS request that has been answered; `peer` is whoever the connection is with."""
        attributes = {"rpc.system": "aws-api", "aws.request_id": slow_requests.request_id(response)}
        if response.service:
            attributes["rpc.service"] = response.service
        if response.operation:
            attributes["rpc.method"] = response.operation
        if response.code:
            attributes["error.type"] = response.code
        name = f"{response.service}:{response.operation}" if response.operation else response.service
        parent = http.header(_PARENT)
        self._make(name, http.method, http.scheme, response.status, attributes, parent=parent, peer=peer, seconds=seconds)

    async def serve_page(self, pages: Application, scope: Scope, receive: Receive, send: Send, *, peer: str) -> None:
        """Serve a page, and make its span once it is through. Files that pages are drawn with have none."""
        if scope["path"].startswith(_STATIC):
            await pages(scope, receive, send)
            return
        began, status = clock.monotonic(), 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await pages(scope, receive, seen)
        finally:
            self._page(scope, peer, status, clock.monotonic() - began)

    async def stop(self) -> None:
        """Export what waits, for five seconds at most, and end."""
        # A thread that nobody waits for at the end: a collector that hangs must not keep the server from stopping.
        ending = Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _SECONDS_TO_STOP)
        if ending.is_alive():
            self._exporter.shutdown()

    def _page(self, scope: Scope, peer: str, status: int, seconds: float) -> None:
        # The pattern alone: a path may hold names, and a link's secret.
        route = getattr(scope.get("route"), "path", "")
        attributes = {"http.route": route} if route else {}
        parent = signature.fold(scope["headers"]).get(_PARENT, b"").decode("latin-1")
        self._make(route, scope["method"], scope["scheme"], status, attributes, parent=parent, peer=peer, seconds=seconds)

    def _make(
        self,
        name: str,
        method: str,
        scheme: str,
        status: int,
        attributes: dict[str, str],
        *,
        parent: str,
        peer: str,
        seconds: float,
    ) -> None:
        follows = self._followed(parent, peer) if parent else None
        if not self._is_sampled(follows):
            return
        known = method if method in _METHODS else _OTHER_METHOD
        every: dict[str, str | int] = {"http.request.method": known, "url.scheme": scheme, **attributes}
        if status:
            every["http.response.status_code"] = status
        ended = int(clock.now().timestamp() * _NANOSECONDS)
        span = self._tracer.start_span(
            name or known,
            context=_context(follows),
            kind=SpanKind.SERVER,
            attributes=every,
            start_time=ended - int(seconds * _NANOSECONDS),
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def _followed(self, parent: str, peer: str) -> SpanContext | None:
        """Return the parent that a trusted proxy names (W3C Trace Context); what anybody else names counts for nothing."""
        if not self._is_followed(peer):
            return None
        # `tracestate` is left behind: it is text of whoever wrote it, and would be exported.
        found = trace.get_current_span(self._propagator.extract({"traceparent": parent})).get_span_context()
        return found if found.is_valid else None

    def _is_sampled(self, follows: SpanContext | None) -> bool:
        """Tell whether a span is made: a parent may leave it out, and never brings in more than the ratio."""
        if follows is not None and not follows.trace_flags.sampled:
            return False
        # Not by the trace's id, which a client may have chosen.
        return self._ratio >= 1 or clock.fraction() < self._ratio


def start(settings: Settings, edge: Edge) -> Traces:
    """Start exporting to where the settings say. Headers for the collector come from OTEL_EXPORTER_OTLP_HEADERS."""
    # Proxies pass `traceparent` on as clients wrote it, unless they take part in traces themselves: so the operator says whether
    # they do, apart from trusting their X-Forwarded-* headers.
    is_followed = edge.is_trusted if settings.traces_from_proxies else _nobody
    exporter = OTLPSpanExporter(settings.traces_url, timeout=_SECONDS_FOR_BATCH)
    return Traces(exporter, ratio=settings.traces_ratio, is_followed=is_followed)


def _nobody(_peer: str) -> bool:
    return False


def _context(follows: SpanContext | None) -> Context:
    # An empty context, not None: that would be whatever context this thread is in.
    empty = Context()
    return empty if follows is None else trace.set_span_in_context(trace.NonRecordingSpan(follows), empty)
