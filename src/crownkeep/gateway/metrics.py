"""What the operator's monitoring sees: counts and times, never a name, an account or a secret."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from crownkeep.gateway.connections import Connections, Ended

CONTENT_TYPE = CONTENT_TYPE_LATEST
_UNKNOWN = "unknown"
_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The metrics of one process, counted in plain numbers and put into Prometheus's words when they are asked for."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._requests: dict[tuple[str, str, str], int] = {}
        self._within = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0
        self._writer_queue = 0
        self._caches: Mapping[str, int] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, service: str, operation: str, code: str, seconds: float) -> None:
        """Count one answered request."""
        labels = (service, operation, code)
        self._requests[labels] = self._requests.get(labels, 0) + 1
        self._within[bisect_left(_BOUNDS, seconds)] += 1
        self._seconds += seconds

    def render(self, *, writer_queue: int, caches: Mapping[str, int]) -> bytes:
        """Return all metrics in Prometheus's text format."""
        self._writer_queue = writer_queue
        self._caches = caches
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Return the metrics as they stand; called by the registry."""
        requests = CounterMetricFamily(
            "crownkeep_requests",
            "AWS API requests by service, operation and error code (empty where it succeeded).",
            labels=("service", "operation", "code"),
        )
        for (service, operation, code), number in sorted(self._requests.items()):
            requests.add_metric((service or _UNKNOWN, operation or _UNKNOWN, code), number)
        seconds = HistogramMetricFamily(
            "crownkeep_request_seconds", "Time from a request's first byte to its answer, its record on disk included."
        )
        bounds = [*(str(bound) for bound in _BOUNDS), "+Inf"]
        seconds.add_metric([], list(zip(bounds, accumulate(self._within), strict=True)), self._seconds)
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
            ended.add_metric((reason.value,), self._connections.ended.get(reason, 0))
        return (GaugeMetricFamily("crownkeep_connections", "Connections that are open.", value=len(self._connections)), ended)
