"""Reports after use: everything that was done by a request for approval, as the trail has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from crownkeep import ids
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import lookups
from crownkeep.storage.trail.events import EventRow

MOST = 1000
"""Events that are told; the trail has the rest."""
_END = UUID(int=(1 << 128) - 1)


class ReportPart(Enum):
    """What an event is in the story of a request."""

    CEREMONY = "ceremony"
    """Asked, decided, cancelled."""
    USE = "use"
    """The approved act, or the sign-in that it let in."""
    SESSION = "session"
    """Done in the session that began by it."""
    REVIEW = "review"
    """The sign-off after it."""


def of_request(db: Transaction, row: ApprovalSessionRow, trails: Iterable[str]) -> dict[str, object]:
    """Report what was done by a request, the oldest first, from these accounts' trails; the operator's own is the empty one.

    Events are found by the request's id, by which each of them is kept: nothing else is read.
    """
    found: dict[UUID, EventRow] = {}
    first, attribute = ids.first_event_id(row.initiated_at), ("ResourceName", row.session_id)
    for account_id in dict.fromkeys(trails):
        # One more than is told, so that the report can say whether it is all.
        listed = lookups.newest(db, account_id, first=first, before=_END, limit=MOST + 1, attribute=attribute)
        found |= {each.event_id: each for each in listed}
    newest = sorted(found.values(), key=lambda each: each.event_id)[-MOST:]
    answer = [_told(each) for each in newest]
    summary: dict[str, object] = {"request_id": row.session_id, "events": answer, "is_complete": len(found) <= MOST}
    used = _first(answer, ReportPart.USE)
    reviewed = _first(answer, ReportPart.REVIEW)
    return summary | ({"used_at": used} if used is not None else {}) | ({"reviewed_at": reviewed} if reviewed is not None else {})


def _first(answer: list[dict[str, object]], part: ReportPart) -> object | None:
    return next((each["event_time"] for each in answer if each["part"] == part.value and "error_code" not in each), None)


def _told(row: EventRow) -> dict[str, object]:
    record: Mapping[str, Any] = json.loads(row.record)
    moment: datetime = row.happened_at
    answer: dict[str, object] = {
        "event_id": str(row.event_id),
        "event_time": moment,
        "event_source": row.source,
        "event_name": row.name,
        "part": _part(row, record).value,
        "read_only": row.read_only == "true",
        "who": _who(record),
        "source_ip": str(record.get("sourceIPAddress", "")),
    }
    # A ConsoleLogin that failed has no error code, and says so in its response elements.
    failed = record.get("errorCode") or ("Failure" if "Failure" in (record.get("responseElements") or {}).values() else "")
    return answer | ({"error_code": str(failed)} if failed else {})


def _part(row: EventRow, record: Mapping[str, Any]) -> ReportPart:
    # Everything that root does in a session that was let in by a request carries the request's id.
    if "approvalRequestId" in (record.get("userIdentity", {}).get("sessionContext") or {}):
        return ReportPart.SESSION
    if row.name == "SignOffReview":
        return ReportPart.REVIEW
    if row.name in _CEREMONY:
        return ReportPart.CEREMONY
    return ReportPart.USE


_CEREMONY = frozenset(
    {"RequestApproval", "Approve", "Refuse", "RelayVote", "CancelRequest", "CancelApprovalRequest", "ApprovalExpired"}
)


def _who(record: Mapping[str, Any]) -> str:
    approver, identity = (record.get("additionalEventData") or {}).get("approver"), record.get("userIdentity", {})
    names = (approver, *(identity.get(each) for each in ("arn", "userName", "invokedBy", "type")))
    return next((str(each) for each in names if each), "")
