"""Lookups of the trail that a person keeps under a name, for themselves: they give nobody anything to see."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission
from crownkeep.services.account_security import myself
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.sign_in import trail_filters
from crownkeep.storage.sign_in.trail_filters import TrailFilterRow

MOST = 20
"""Lookups that one person can keep."""


@account_security.operation("ListTrailFilters", resource=myself.myself, permission=Permission.UNLESS_DENIED)
def list_trail_filters(call: Call) -> Result:
    """List what the caller has kept, by name."""
    person = myself.with_credentials(call)
    kept = trail_filters.of_owner(call.db, person.account_id, person.unique_id)
    return {"Filters": [_described(row) for row in kept]}


@account_security.operation("PutTrailFilter", resource=myself.myself, effect=Effect.STATE, permission=Permission.UNLESS_DENIED)
def put_trail_filter(
    call: Call,
    *,
    name: str,
    attribute_key: str = "Username",
    attribute_value: str = "",
    with_reads: bool = False,
    failures_only: bool = False,
) -> Result:
    """Keep a lookup under a name, in the place of another of that name; raises LimitExceeded where there are too many."""
    person = myself.with_credentials(call)
    kept = trail_filters.of_owner(call.db, person.account_id, person.unique_id)
    # One that takes the place of another makes no more of them.
    if len(kept) >= MOST and name.lower() not in {row.name_key for row in kept}:
        raise errors.LimitExceeded(f"You have kept {MOST} lookups, which is as many as there can be. Remove one first.")
    row = TrailFilterRow(
        account_id=person.account_id,
        owner_id=person.unique_id,
        name_key=name.lower(),
        name=name,
        attribute=attribute_key,
        value=attribute_value,
        has_reads=with_reads,
        has_failures_alone=failures_only,
        kept_at=call.now,
    )
    trail_filters.put(call.db, row)
    myself.note(call)
    return NOTHING


@account_security.operation("DeleteTrailFilter", resource=myself.myself, effect=Effect.STATE, permission=Permission.UNLESS_DENIED)
def delete_trail_filter(call: Call, *, name: str) -> Result:
    """Forget a lookup; raises ResourceNotFound where the caller has kept none of this name."""
    person = myself.with_credentials(call)
    if not trail_filters.remove(call.db, person.account_id, person.unique_id, name):
        raise errors.ResourceNotFound("You have kept no lookup of this name.")
    myself.note(call)
    return NOTHING


def _described(row: TrailFilterRow) -> dict[str, object]:
    sought = {"AttributeKey": row.attribute, "AttributeValue": row.value} if row.value else {}
    return {"Name": row.name, **sought, "WithReads": row.has_reads, "FailuresOnly": row.has_failures_alone}
