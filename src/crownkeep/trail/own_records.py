"""What is recorded of the log itself, such as a witness that is silent for long: in no account's trail, as it concerns all."""

from __future__ import annotations

from datetime import datetime

from crownkeep import clock, ids
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit.event import EventFacts
from crownkeep.operations import record
from crownkeep.storage.trail.events import EventRow

SOURCE = "trail.crownkeep"


def witness_silent(witness: str, fault: str, *, now: datetime) -> EventRow:
    """Make the event of a witness that does not answer, or does not cosign."""
    return _event("TrailWitnessSilent", {"what": "witness", "id": witness, "fault": fault}, now)


def tree_altered(fault: str, *, now: datetime) -> EventRow:
    """Make the event of a tree that can't be signed any more, since somebody has changed it in the database."""
    return _event("TrailTreeAltered", {"what": "tree", "fault": fault}, now)


def _event(name: str, details: dict[str, object], now: datetime) -> EventRow:
    return record.row_of(
        EventFacts(
            event_id="",
            happened_at=now,
            event_type="AwsServiceEvent",
            source=SOURCE,
            name=name,
            caller=None,
            identity={"invokedBy": SOURCE},
            account_id="",
            region=GLOBAL_REGION,
            source_ip=SOURCE,
            user_agent=SOURCE,
            request_id=ids.request_id(clock.id_bytes(16)),
            read_only=False,
            service_details=details,
        )
    )
