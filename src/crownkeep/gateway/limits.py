"""How much of the trail strangers may fill: failed requests that nobody answers for are recorded, up to a rate."""

from __future__ import annotations


class RecordAllowance:
    """A token bucket: `per_second` records, and ten seconds' worth at once.

    What goes beyond it is still refused and counted in the metrics; otherwise anyone who can reach the port could fill the disk.
    """

    def __init__(self, per_second: int) -> None:
        self._rate = float(per_second)
        self._most = self._rate * 10
        self._left = self._most
        self._at = 0.0

    def take(self, monotonic_seconds: float) -> bool:
        """Answer whether one more record may be kept now."""
        self._left = min(self._most, self._left + (monotonic_seconds - self._at) * self._rate)
        self._at = monotonic_seconds
        if self._left < 1:
            return False
        self._left -= 1
        return True
