"""What the operator's monitoring sees: counts and times, never a name, an account or a secret."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from crownkeep.gateway.connections import Connections, Ended

BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""The seconds within which answers are counted."""


@dataclass(frozen=True, slots=True)
class CountedRequests:
    """What a process has counted so far."""

    requests: Mapping[tuple[str, str, str], int]
    """By service, operation and error code."""
    within: tuple[int, ...]
    """How many took up to each bound and longer than the one before; the last took longer than all."""
    seconds: float
    connections: int
    ended: Mapping[Ended, int]


class Metrics:
    """The metrics of one process, counted in plain numbers; `exposition` puts them into Prometheus's words."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._requests: dict[tuple[str, str, str], int] = {}
        self._within = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def count(self, service: str, operation: str, code: str, seconds: float) -> None:
        """Count one answered request."""
        labels = (service, operation, code)
        self._requests[labels] = self._requests.get(labels, 0) + 1
        self._within[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def read(self) -> CountedRequests:
        """Return the metrics as they stand."""
        connections = self._connections
        return CountedRequests(self._requests, tuple(self._within), self._seconds, len(connections), connections.ended)
