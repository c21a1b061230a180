"""Withholding records of the trail: the bytes are destroyed, the leaves stay, and the act's own record says what is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from crownkeep import ids
from crownkeep.operations import record
from crownkeep.operations.call import Call
from crownkeep.storage.trail import withholdings
from crownkeep.storage.trail.withholdings import WithholdingAct, WithholdingRow

PURGE = "purge"
LAW = "law"
RETENTION = "retention"
WITHHELD = "withheld"
"""The element of `additionalEventData` that tells of it; `audit.verification` holds what is missing against it."""


def withhold_account(call: Call, account_id: str, *, reason: str) -> dict[str, object]:
    """Withhold every record of an account, and return what the act's record has to say of it."""
    row = withholdings.withhold(call.db, account_id, _act(call, PURGE, reason))
    return {WITHHELD: [told(row)]} if row is not None else {}


def withhold_older(call: Call, account_id: str, *, before: datetime, reason: str) -> dict[str, object]:
    """Withhold an account's records from before a moment, and return what the act's record has to say of it."""
    row = withholdings.withhold(call.db, account_id, _act(call, RETENTION, reason), before=ids.first_event_id(before))
    return {WITHHELD: [told(row)]} if row is not None else {}


def withhold_one(call: Call, account_id: str, event_id: UUID, *, reason: str) -> dict[str, object]:
    """Withhold one record, and return what the act's record has to say of it."""
    return {WITHHELD: [told(withholdings.withhold_one(call.db, account_id, event_id, _act(call, LAW, reason)))]}


def told(row: WithholdingRow) -> dict[str, object]:
    """Return how a record tells of what was withheld."""
    return {
        "accountId": row.account_id,
        "firstEventId": str(UUID(bytes=bytes(row.first_event_id))),
        "lastEventId": str(UUID(bytes=bytes(row.last_event_id))),
        "records": row.records,
        "reason": row.reason,
    }


def _act(call: Call, kind: str, reason: str) -> WithholdingAct:
    return WithholdingAct(UUID(record.id_of(call)), kind, reason, call.origin.user_agent, call.now)
