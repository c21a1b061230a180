"""Events that no caller asked for: what a service did by itself, recorded as CloudTrail's `AwsServiceEvent`."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep.audit.event import EventFacts
from crownkeep.operations import record
from crownkeep.operations.call import Call


def keep(call: Call, *, source: str, name: str, account_id: str, details: Mapping[str, object]) -> None:
    """Keep an event in the trail of an account, together with what the call changes; `details` are the event's own."""
    facts = EventFacts(
        event_id="",
        happened_at=call.now,
        event_type="AwsServiceEvent",
        source=source,
        name=name,
        caller=None,
        identity={"accountId": account_id, "invokedBy": source},
        account_id=account_id,
        region=call.origin.region,
        source_ip=source,
        user_agent=source,
        request_id=call.origin.request_id,
        read_only=False,
        service_details=details,
    )
    row = record.row_of(facts)
    record.keep(call.db, row)
    # Only what a call leaves at its end is observed by itself.
    call.wiring.outbox.observe(call.db, [row])
