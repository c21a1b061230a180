"""ListPublicKeys: by which digest files of a Region are verified. They are public, and the same for every account."""

from __future__ import annotations

from datetime import datetime

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.trail import digest_keys


@cloudtrail.operation("ListPublicKeys", resource=registry.everything)
def list_public_keys(
    call: Call, *, start_time: datetime | None = None, end_time: datetime | None = None, next_token: str | None = None
) -> Result:
    """Return the keys that signed digests of the Region within a range of time; now, where none is given."""
    if next_token is not None:
        raise errors.InvalidListToken("The token is not valid: no list of keys has a second page.")
    start, end = start_time or call.now, end_time or call.now
    if start > end:
        raise errors.InvalidTimeRange("The start time must not be after the end time.")
    found = digest_keys.within(call.db, call.origin.region, start=start, end=end)
    return {
        "PublicKeyList": [
            {
                "Value": row.public_key,
                "ValidityStartTime": row.valid_from,
                "ValidityEndTime": row.valid_until,
                "Fingerprint": row.fingerprint,
            }
            for row in found
        ]
    }
