"""StreamEvents: the account's events in the order of the tree, a page at a time; as server-sent events the answer goes on."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations import streams
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import everything
from crownkeep.services.trail.service import trail
from crownkeep.storage.trail import leaves

_PAGE = 50


@trail.operation("StreamEvents", resource=everything, is_stream=True)
def stream_events(call: Call, *, after: int | None = None, last_event_id: str = "", max_results: int = _PAGE) -> Result:
    """Return events behind an index, the oldest first, and how far that goes; without an index, from now on.

    `last_event_id` is what a browser sends when it connects again, and wins over `after`, which is in its address still.
    """
    newest = leaves.count(call.db) - 1
    if last_event_id:
        after = int(last_event_id)
    if after is None:
        after = newest
    if after > newest:
        raise errors.AccountValidation(f"The trail has no index {after} yet.")
    return streams.page(call.db, call.account_id, after=after, newest=newest, limit=max_results)
