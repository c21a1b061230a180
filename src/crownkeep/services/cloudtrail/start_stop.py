"""StartLogging and StopLogging: whether a trail covers what happens; the account's own record goes on either way."""

from __future__ import annotations

from uuid import UUID

from crownkeep.operations import record
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.cloudtrail import naming
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.services.cloudtrail.trails import begin_digests
from crownkeep.storage.trail import trails
from crownkeep.trail import schedule


@cloudtrail.operation("StartLogging", resource=naming.trail, effect=Effect.STATE)
def start_logging(call: Call, *, name: str) -> Result:
    """Cover what happens from this call on."""
    row = naming.changeable(call, name)
    if row.is_logging:
        return NOTHING
    if row.has_digests:
        begin_digests(call, row)
    times = schedule.begin(call.settings, now=call.now)
    trails.change(call.db, row.trail_id, is_logging=True, started_at=call.now, last_event_id=None, **times)
    return NOTHING


@cloudtrail.operation("StopLogging", resource=naming.trail, effect=Effect.STATE)
def stop_logging(call: Call, *, name: str) -> Result:
    """Cover nothing that comes after this call; the call itself is the last that is delivered."""
    row = naming.changeable(call, name)
    if not row.is_logging:
        return NOTHING
    # The id and not the time: events of the same moment are told apart by it, and ids are ordered by time.
    last = UUID(record.id_of(call)).bytes
    trails.change(call.db, row.trail_id, is_logging=False, stopped_at=call.now, last_event_id=last, due_at=call.now, attempts=0)
    return NOTHING
