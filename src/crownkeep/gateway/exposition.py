"""Metrics in Prometheus's text format; imported when somebody first asks for them, as few servers are scraped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from crownkeep.gateway.connections import Ended
from crownkeep.gateway.metrics import BOUNDS, CountedRequests

CONTENT_TYPE = CONTENT_TYPE_LATEST.encode()
_UNKNOWN = "unknown"


def render(counted: CountedRequests, *, writer_queue: int, caches: Mapping[str, int]) -> bytes:
    """Return all metrics: what requests came to, what waits for the writer, and how many bytes each cache holds."""
    registry = CollectorRegistry()
    registry.register(_Collected(counted, writer_queue, caches))
    return generate_latest(registry)


class _Collected:
    """Metrics as the registry asks for them."""

    def __init__(self, counted: CountedRequests, writer_queue: int, caches: Mapping[str, int]) -> None:
        self._counted = counted
        self._writer_queue = writer_queue
        self._caches = caches

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; called by the registry."""
        requests = CounterMetricFamily(
            "crownkeep_requests",
            "AWS API requests by service, operation and error code (empty where it succeeded).",
            labels=("service", "operation", "code"),
        )
        for (service, operation, code), number in sorted(self._counted.requests.items()):
            requests.add_metric((service or _UNKNOWN, operation or _UNKNOWN, code), number)
        seconds = HistogramMetricFamily(
            "crownkeep_request_seconds", "Time from a request's first byte to its answer, its record on disk included."
        )
        bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
        seconds.add_metric([], list(zip(bounds, accumulate(self._counted.within), strict=True)), self._counted.seconds)
        waiting = GaugeMetricFamily(
            "crownkeep_writer_queue", "Changes and records that wait for the writer.", value=self._writer_queue
        )
        held = GaugeMetricFamily("crownkeep_cache_bytes", "About how much memory each cache takes.", labels=("cache",))
        for cache, size in sorted(self._caches.items()):
            held.add_metric((cache,), size)
        return (requests, seconds, waiting, held, *self._of_connections())

    def _of_connections(self) -> Iterable[Metric]:
        ended = CounterMetricFamily(
            "crownkeep_connections_ended",
            "Connections ended by this server because of what their clients did or left undone, by reason.",
            labels=("reason",),
        )
        for reason in Ended:
            ended.add_metric((reason.value,), self._counted.ended.get(reason, 0))
        return (GaugeMetricFamily("crownkeep_connections", "Connections that are open.", value=self._counted.connections), ended)
