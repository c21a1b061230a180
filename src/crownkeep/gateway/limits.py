"""How much of a trail failed requests may fill: strangers' in the operator's, bad signatures of a key in its account's."""

from __future__ import annotations

from collections import OrderedDict

_MOST_KEYS = 4096
_PER_KEY_AND_SECOND = 1


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
        """Take one record's place, where there is room for one more now, and tell whether there was."""
        # The clock is monotonic seconds: a bucket that is filled by the wall clock would be emptied by setting that back.
        self._left = min(self._most, self._left + (monotonic_seconds - self._at) * self._rate)
        self._at = monotonic_seconds
        if self._left < 1:
            return False
        self._left -= 1
        return True


class KeyAllowances:
    """An allowance for each access key that somebody failed to sign with; of the most recent keys only, so it stays small.

    A key's id is no secret. Whoever knows one may leave a mark in its account's trail, and not bury the trail under such marks.
    """

    def __init__(self) -> None:
        self._of_keys: OrderedDict[str, RecordAllowance] = OrderedDict()

    def take(self, access_key_id: str, monotonic_seconds: float) -> bool:
        """Take one record's place for a key, where there is room for one more now, and tell whether there was."""
        # Taken out and put in again: the dict's first entry is then always the key that failed longest ago.
        allowance = self._of_keys.pop(access_key_id, None) or RecordAllowance(_PER_KEY_AND_SECOND)
        self._of_keys[access_key_id] = allowance
        if len(self._of_keys) > _MOST_KEYS:
            self._of_keys.popitem(last=False)
        return allowance.take(monotonic_seconds)
