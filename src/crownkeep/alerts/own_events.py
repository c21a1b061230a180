"""Events of alerts themselves: that a receiver can't be reached, or was disabled, recorded as CloudTrail's `AwsServiceEvent`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crownkeep import clock, ids
from crownkeep.alerts.built_in_reviews import SOURCE
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit.event import EventFacts
from crownkeep.operations import record
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.trail.events import EventRow


def of_receiver(name: str, row: NoticeRow, fault: str, *, now: datetime) -> EventRow:
    """Make the event of a receiver that a notice could not be delivered to.

    It names the lane, by which alerts about it take another way. Addresses of contacts stay out of it: who reads the trail need
    not know root's mailbox.
    """
    details = {
        "channel": row.channel,
        "receiver": row.recipient if row.receiver_id else "a contact of the account",
        "receiverId": row.receiver_id,
        "lane": row.lane.removesuffix("-quiet"),
        "attempts": row.attempts + 1,
        "fault": fault,
    }
    return of_account(name, row.account_id, details, now=now)


def of_account(name: str, account_id: str, details: Mapping[str, object], *, now: datetime) -> EventRow:
    """Make an event that no caller asked for."""
    facts = EventFacts(
        event_id="",
        happened_at=now,
        event_type="AwsServiceEvent",
        source=SOURCE,
        name=name,
        caller=None,
        identity={"accountId": account_id, "invokedBy": SOURCE},
        account_id=account_id,
        region=GLOBAL_REGION,
        source_ip=SOURCE,
        user_agent=SOURCE,
        request_id=ids.request_id(clock.token_bytes(16)),
        read_only=False,
        service_details=details,
    )
    return record.row_of(facts)
