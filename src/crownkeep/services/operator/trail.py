"""The trail as the operator reads it: an account's, or the one of what belongs to no account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from crownkeep import ids
from crownkeep.domain import page_tokens
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.record import NOBODY
from crownkeep.services.operator.service import operator
from crownkeep.storage.trail import lookups

_PAGE = 50
_AFTER_ALL = UUID(int=(1 << 128) - 1)


@operator.operation("ListEvents", resource=registry.everything)
def list_events(
    call: Call,
    *,
    account_id: str = NOBODY,
    since: datetime | None = None,
    max_results: int = _PAGE,
    next_token: str | None = None,
) -> Result:
    """Return CloudTrail records, the newest first, however old; without an account, what the operator and strangers did."""
    filters = [account_id, since.isoformat() if since else ""]
    before = _AFTER_ALL
    if next_token is not None:
        before = UUID(page_tokens.read(call, next_token, list_name="ListEvents", filters=filters))
    # Ids begin with their moment, so that a range of ids is a range of time.
    first = ids.first_event_id(since) if since else UUID(int=0)
    found = lookups.newest(call.db, account_id, first=first, before=before, limit=max_results + 1)
    result: dict[str, object] = {"events": [msgspec.json.decode(row.record) for row in found[:max_results]]}
    if len(found) > max_results:
        last = str(found[max_results - 1].event_id)
        result["next_token"] = page_tokens.write(call, last, list_name="ListEvents", filters=filters)
    return result
