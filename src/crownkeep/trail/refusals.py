"""What is recorded when a bucket begins to refuse: once, in the trail's own account, so that somebody hears of it."""

from __future__ import annotations

from datetime import datetime

from crownkeep import clock, ids
from crownkeep.audit.event import EventFacts
from crownkeep.operations import record
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.trail.trails import TrailRow

NAME = "TrailDeliveryFailed"
_SOURCE = "cloudtrail.amazonaws.com"


def event(trail: TrailRow, fault: str, *, now: datetime) -> EventRow:
    """Make the event of a trail that can't deliver any longer."""
    code, _, message = fault.partition(": ")
    return record.row_of(
        EventFacts(
            event_id="",
            happened_at=now,
            event_type="AwsServiceEvent",
            source=_SOURCE,
            name=NAME,
            caller=None,
            identity={"accountId": trail.account_id, "invokedBy": _SOURCE},
            account_id=trail.account_id,
            region=trail.home_region,
            source_ip=_SOURCE,
            user_agent=_SOURCE,
            request_id=ids.request_id(clock.id_bytes(16)),
            read_only=False,
            error_code=code,
            error_message=message,
            resources=(("AWS::CloudTrail::Trail", trail.arn),),
            service_details={"trailARN": trail.arn, "s3BucketName": trail.bucket_name},
        )
    )
