"""Traces: a span for each request with what happened and nothing of whom or what it was about, and whose word they follow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.alerts.listening import HttpReceiver
from tests.fixtures import coroutines
from tests.fixtures.crown import Crown, Crowns

from crownkeep import clock
from crownkeep.gateway import traces
from crownkeep.gateway.http import Edge, HttpRequest
from crownkeep.gateway.responses import Response
from crownkeep.gateway.traces import Traces

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = f"{PARENT[:-1]}0"
TRACE_ID = int(PARENT[3:35], 16)
PROXY, STRANGER = "10.0.0.5", "198.51.100.7"
SECRET = "4fY0-a-links-secret"
EVENTS = {"Accept": "text/event-stream", "Authorization": "AWS4-HMAC-SHA256 nonsense"}


@pytest.fixture(scope="module")
def collector() -> Iterator[HttpReceiver]:
    """A collector that takes whatever it is sent."""
    receiver = HttpReceiver(status=200)
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def server(crowns: Crowns, collector: HttpReceiver) -> Iterator[Crown]:
    """A server that exports to the collector."""
    started = crowns.fresh("sqlite", traces_endpoint=collector.url)
    yield started
    started.close()


@pytest.fixture
def traced(server: Crown, collector: HttpReceiver) -> Crown:
    """The server, of which the collector has heard nothing yet."""
    exported(server, collector)
    collector.got.clear()
    return server


def exported(server: Crown, collector: HttpReceiver) -> list[Any]:
    """Return the spans that the collector was sent, once all there are were."""
    server._served._app._house.traces._provider.force_flush()
    return sent(collector)


def sent(collector: HttpReceiver) -> list[Any]:
    """Return the spans that the collector was sent."""
    batches = [ExportTraceServiceRequest.FromString(each.body) for each in collector.got]
    return [
        span for each in batches for resource in each.resource_spans for scope in resource.scope_spans for span in scope.spans
    ]


def facts(span: Any) -> dict[str, Any]:
    """Return the attributes of a span that was sent."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_request_leaves_one_span_with_what_happened(traced: Crown, collector: HttpReceiver) -> None:
    iam = traced.account().client("iam")
    created = iam.create_user(UserName="ann")["ResponseMetadata"]["RequestId"]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName="ann")

    made, refused = (span for span in exported(traced, collector) if span.name == "iam:CreateUser")
    expected = {
        "http.request.method": "POST",
        "url.scheme": "http",
        "rpc.system": "aws-api",
        "aws.request_id": created,
        "rpc.service": "iam",
        "rpc.method": "CreateUser",
        "http.response.status_code": 200,
    }
    assert expected == facts(made)
    assert ("EntityAlreadyExists", 409) == tuple(facts(refused)[name] for name in ("error.type", "http.response.status_code"))
    assert made.start_time_unix_nano < made.end_time_unix_nano
    assert made.trace_id != refused.trace_id


def test_a_page_leaves_one_span_with_its_route_and_a_file_none(traced: Crown, collector: HttpReceiver) -> None:
    traced.request("GET", f"/console/users/{SECRET}?q={SECRET}")
    traced.request("GET", "/nothing-like-it", headers={"Accept": "text/html"})
    traced.request("GET", "/static/tokens.css")

    page = next(span for span in exported(traced, collector) if span.name == "/console/users/{name}")
    expected = {"http.request.method": "GET", "url.scheme": "http", "http.route": "/console/users/{name}"}
    assert expected | {"http.response.status_code": 303} == facts(page)
    assert [] == [span.name for span in exported(traced, collector) if "static" in span.name]


def test_spans_hold_no_name_no_parameter_and_no_secret(traced: Crown, collector: HttpReceiver) -> None:
    account = traced.account()
    account.user("confidential-ann")
    account.client("s3").list_buckets()
    traced.request("GET", f"/signin/link/{SECRET}?next={SECRET}", headers={"User-Agent": SECRET, "traceparent": PARENT})
    traced.request("GET", f"/{SECRET}/{SECRET}?{SECRET}={SECRET}", headers={"tracestate": SECRET})
    traced.request("GET", f"/events?{SECRET}", headers=EVENTS)

    spans = exported(traced, collector)
    said = b"".join(each.body for each in collector.got)
    key = account.created["admin"]["access_key_id"]
    unsaid = (SECRET, "confidential-ann", account.id, account.email, key, "127.0.0.1", "user/")
    assert len(spans) > 5
    assert [] == [each for each in unsaid if each.encode() in said]


def test_requests_that_came_as_a_whole_are_traced_as_well(traced: Crown, collector: HttpReceiver) -> None:
    served = traced._served

    async def ask() -> list[Response]:
        answered: list[Response] = []
        scope = served.scope("POST", "/", {"X-Amz-Target": "Nothing.Like"}, b"{}")
        assert served._app.take(scope, b"{}", answered.append)
        assert served._app.take_plain({b"host": b"localhost"}, b"", STRANGER, "https", ("", ""), answered.append)
        while len(answered) < 2:
            await asyncio.sleep(0)
        return answered

    codes = {response.code for response in served.run(ask())}

    spans = [facts(span) for span in exported(traced, collector)]
    assert codes == {each["error.type"] for each in spans}
    assert ["http", "https"] == sorted(each["url.scheme"] for each in spans)


@pytest.mark.parametrize(
    ("peer", "parent", "ratio", "spans"),
    [
        (PROXY, PARENT, 1.0, [TRACE_ID]),
        (PROXY, UNSAMPLED, 1.0, []),
        (PROXY, PARENT, 0.0, []),
        (PROXY, f"{PARENT}, {PARENT}", 1.0, ["its own"]),
        (PROXY, "nonsense", 1.0, ["its own"]),
        (STRANGER, PARENT, 1.0, ["its own"]),
        (STRANGER, UNSAMPLED, 1.0, ["its own"]),
        (STRANGER, PARENT, 0.0, []),
        ("", PARENT, 1.0, ["its own"]),
    ],
)
def test_a_trace_is_followed_by_a_trusted_proxy_s_word_and_nobody_is_sampled_by_it(
    peer: str, parent: str, ratio: float, spans: list[Any]
) -> None:
    exporter = InMemorySpanExporter()
    tracing = Traces(exporter, ratio=ratio, is_followed=Edge((f"{PROXY}/32",)).is_trusted)

    tracing.answered(asked(parent), peer, Response(200, (), b""), 0.1)
    coroutines.run(tracing.stop())

    found = exporter.get_finished_spans()
    assert spans == [TRACE_ID if span.context.trace_id == TRACE_ID else "its own" for span in found]
    assert [TRACE_ID] * len(found) == [span.parent.trace_id if span.parent else TRACE_ID for span in found]


def test_a_part_of_all_requests_is_drawn_by_the_server_s_own_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    tracing = Traces(exporter, ratio=0.25, is_followed=Edge(()).is_trusted)

    for drawn in (0.0, 0.2, 0.3, 0.999):
        monkeypatch.setattr(clock, "fraction", lambda drawn=drawn: drawn)
        tracing.answered(asked(), STRANGER, Response(200, (), b""), 0.1)
    coroutines.run(tracing.stop())

    assert 2 == len(exporter.get_finished_spans())


def test_a_method_that_nobody_knows_and_a_fault_are_told_apart() -> None:
    exporter = InMemorySpanExporter()
    tracing = Traces(exporter, ratio=1, is_followed=Edge(()).is_trusted)

    tracing.answered(asked(method=SECRET), STRANGER, Response(503, (), b"", code="ServiceUnavailable"), 0.1)
    coroutines.run(tracing.stop())

    [span] = exporter.get_finished_spans()
    assert ("_OTHER", "_OTHER", "ERROR") == (
        span.name,
        dict(span.attributes or {})["http.request.method"],
        span.status.status_code.name,
    )


class Hanging(SpanExporter):
    """Exports nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.spans = 0
        self.was_ended = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.may.wait(30)
        self.spans += len(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.was_ended = True


def test_a_collector_that_hangs_holds_up_no_request_and_a_bounded_number_of_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_QUEUE", 4)
    monkeypatch.setattr(traces, "_BATCH", 2)
    exporter = Hanging()
    tracing = Traces(exporter, ratio=1, is_followed=Edge(()).is_trusted)

    for _ in range(50):
        tracing.answered(asked(), STRANGER, Response(200, (), b""), 0.1)
    exporter.may.set()
    coroutines.run(tracing.stop())

    assert 4 <= exporter.spans <= 6


def test_a_collector_that_hangs_does_not_keep_the_server_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_SECONDS_TO_STOP", 0.01)
    exporter = Hanging()
    tracing = Traces(exporter, ratio=1, is_followed=Edge(()).is_trusted)
    tracing.answered(asked(), STRANGER, Response(200, (), b""), 0.1)

    coroutines.run(tracing.stop())

    assert (0, True) == (exporter.spans, exporter.was_ended)
    exporter.may.set()


@pytest.mark.parametrize("from_proxies", [True, False])
def test_a_trusted_proxy_is_followed_where_the_operator_says_that_it_writes_traceparent(
    crowns: Crowns, collector: HttpReceiver, from_proxies: bool
) -> None:
    options = {"traces_endpoint": collector.url, "traces_from_proxies": from_proxies, "trusted_proxies": ("127.0.0.1",)}
    stopping = crowns.fresh("sqlite", **options)
    collector.got.clear()
    stopping.request("POST", "/", headers={"traceparent": PARENT, "X-Forwarded-For": STRANGER})
    stopping.request("GET", "/signin", headers={"traceparent": PARENT, "X-Forwarded-For": STRANGER})

    stopping.close()

    assert [from_proxies] * 2 == [span.trace_id == TRACE_ID.to_bytes(16) for span in sent(collector)]


def test_a_server_without_the_setting_makes_no_traces(crowns: Crowns) -> None:
    assert crowns.shared("sqlite")._served._app._house.traces is None


def asked(parent: str = "", *, method: str = "POST") -> HttpRequest:
    """Return a request that names a parent."""
    return HttpRequest(method, b"/", b"", {b"traceparent": parent.encode()}, b"", STRANGER, "https")
