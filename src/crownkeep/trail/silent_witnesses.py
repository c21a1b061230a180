"""What is recorded when a witness has been silent for long: in no account's trail, since it concerns the whole server."""

from __future__ import annotations

from datetime import datetime

from crownkeep import clock, ids
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit.event import EventFacts
from crownkeep.operations import record
from crownkeep.storage.trail.events import EventRow

NAME = "TrailWitnessSilent"
SOURCE = "trail.crownkeep"


def event(witness: str, fault: str, *, now: datetime) -> EventRow:
    """Make the event of a witness that does not answer, or does not cosign."""
    return record.row_of(
        EventFacts(
            event_id="",
            happened_at=now,
            event_type="AwsServiceEvent",
            source=SOURCE,
            name=NAME,
            caller=None,
            identity={"invokedBy": SOURCE},
            account_id="",
            region=GLOBAL_REGION,
            source_ip=SOURCE,
            user_agent=SOURCE,
            request_id=ids.request_id(clock.id_bytes(16)),
            read_only=False,
            service_details={"what": "witness", "id": witness, "fault": fault},
        )
    )
