"""ListRecordedEvents: what was recorded of late, in one bounded answer, for whoever asks what a change would have denied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from crownkeep import clock, errors, ids
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, everything
from crownkeep.services.trail.service import trail
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.trail import lookups
from crownkeep.storage.trail.events import EventRow

MOST_EVENTS = 5_000
MOST_BYTES = 8 * 2**20
MOST_SECONDS = 2.0
"""How long reading takes at most, whatever the database does meanwhile."""
DAYS = 90

_PAGE = 250


@trail.operation("ListRecordedEvents", resource=everything, mode=Mode.LONG_READ)
def list_recorded_events(call: Call, *, days: int = DAYS, account_id: str = "") -> Result:
    """Return the newest events of an account until a bound is met, and how far back that is."""
    since = call.now - timedelta(days=days)
    if account_id not in ("", call.account_id):
        since = max(since, _joined_at(call, account_id))
    found: list[dict[str, object]] = []
    size, began, reached, is_complete = 0, clock.monotonic(), call.now, False
    for row in _newest(call, account_id or call.account_id, ids.first_event_id(since)):
        if row is None:
            is_complete = True
            break
        if len(found) >= MOST_EVENTS or size >= MOST_BYTES or clock.monotonic() - began > MOST_SECONDS:
            break
        reached, size = row.happened_at, size + len(row.record)
        found.append({"CloudTrailEvent": row.record.decode()})
    back_to = since if is_complete else reached
    return {"Events": found, "Examined": len(found), "ReachesBackTo": back_to, "IsComplete": is_complete}


def _joined_at(call: Call, account_id: str) -> datetime:
    """Return since when the caller's account manages this one; raises AccessDenied where it does not.

    What a member did before it joined is nobody's affair there.
    """
    member = organization_accounts.of_account(call.db, account_id)
    if member is None or member.management_account_id != call.account_id:
        raise errors.AccessDenied("You may see events of your own account, and of members of the organization that it manages.")
    return member.joined_at


def _newest(call: Call, account_id: str, first: UUID) -> Iterator[EventRow | None]:
    """Yield events, the newest first, and None after the last of the time."""
    before = UUID(int=(1 << 128) - 1)
    while True:
        page = lookups.newest(call.db, account_id, first=first, before=before, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            yield None
            return
        before = page[-1].event_id
