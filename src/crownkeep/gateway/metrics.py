"""What the operator's monitoring sees: counts and times, never a name, an account or a secret."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_UNKNOWN = "unknown"


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "crownkeep_requests",
            "AWS API requests by service, operation and error code (empty where it succeeded).",
            ("service", "operation", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "crownkeep_request_seconds",
            "Time from a request's first byte to its answer, its record on disk included.",
            registry=self._registry,
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
        )
        self._waiting = Gauge("crownkeep_writer_queue", "Changes and records that wait for the writer.", registry=self._registry)
        self._children: dict[tuple[str, str, str], Counter] = {}

    def count(self, service: str, operation: str, code: str, seconds: float) -> None:
        """Count one answered request."""
        labels = (service or _UNKNOWN, operation or _UNKNOWN, code)
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._requests.labels(*labels)
        child.inc()
        self._seconds.observe(seconds)

    def render(self, *, writer_queue: int) -> bytes:
        """Answer all metrics in Prometheus's text format."""
        self._waiting.set(writer_queue)
        return generate_latest(self._registry)
