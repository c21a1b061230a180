"""What the operator does to the trail: withholds records, changes the keys that sign it, and witnesses others' logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from crownkeep import errors
from crownkeep.audit import notes
from crownkeep.audit.merkle import EMPTY_ROOT
from crownkeep.audit.notes import MalformedNote, SignatureType
from crownkeep.domain import trail_keys, withholding
from crownkeep.operations import record, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator.service import operator
from crownkeep.storage.trail import leaves, log_keys, lookups, verifications, witnessed_logs
from crownkeep.storage.trail.verifications import VerificationRow
from crownkeep.storage.trail.witnessed_logs import WitnessedLogRow


@operator.operation("WithholdRecords", resource=registry.everything, effect=Effect.STATE)
def withhold_records(
    call: Call, *, account_id: str, reason: str, event_id: str | None = None, before: datetime | None = None
) -> Result:
    """Destroy one record, or those from before a moment; their leaves stay in the tree, and this act's record says why."""
    if (event_id is None) == (before is None):
        raise errors.ValidationError("give either `event_id` or `before`")
    if event_id is not None:
        answer = withholding.withhold_one(call, account_id, _kept(call, account_id, event_id), reason=reason)
    else:
        answer = withholding.withhold_older(call, account_id, before=before or call.now, reason=reason)
    call.notes.additional |= answer
    withheld = answer.get(withholding.WITHHELD)
    return {"records": withheld[0]["records"] if isinstance(withheld, list) else 0}


def _kept(call: Call, account_id: str, event_id: str) -> UUID:
    """Return the id of a record that the account has; raises ResourceNotFound."""
    try:
        sought = UUID(event_id)
    except ValueError as error:
        raise errors.ValidationError("`event_id` is no event's id") from error
    after = UUID(int=sought.int + 1) if sought.int < (1 << 128) - 1 else sought
    if not lookups.newest(call.db, account_id, first=sought, before=after, limit=1):
        raise errors.ResourceNotFound(f"account `{account_id}` has no record of an event `{event_id}`")
    return sought


@operator.operation("RotateTrailKeys", resource=registry.everything, effect=Effect.STATE)
def rotate_trail_keys(call: Call) -> Result:
    """Sign checkpoints with new keys; the old ones sign beside them for a day, and verify what they signed for ever."""
    made = trail_keys.rotate(call.db, call.keyring, log_keys.LOG, now=call.now)
    return {"vkeys": [row.vkey for row in made]}


@operator.operation("RecordTrailVerification", resource=registry.everything, effect=Effect.STATE)
def record_trail_verification(
    call: Call, *, size: int, findings: int, signed_by: Sequence[str] = (), checkpoint_sizes: Sequence[int] = ()
) -> Result:
    """Record that all of the trail was verified, of how many leaves, and how much was found; accounts are told of the last one.

    Whose signatures were trusted and which older checkpoints were at hand is for the record alone.
    """
    if size > leaves.count(call.db):
        raise errors.ValidationError("`size` is larger than the trail: that was a verification of another one")
    # Kept under the id of this call's own record, so that the two can be held against each other.
    event_id = UUID(record.id_of(call))
    verifications.add(call.db, VerificationRow(event_id.bytes, call.now, size, findings))
    return {"verified_at": call.now}


@operator.operation("WitnessLog", resource=registry.everything, effect=Effect.STATE)
def witness_log(call: Call, *, vkeys: Sequence[str]) -> Result:
    """Witness a log from now on, by its keys; for one that is witnessed already, trust these keys in place of the others."""
    try:
        keys = [notes.read_key(vkey) for vkey in vkeys]
    except MalformedNote as error:
        raise errors.ValidationError(f"a key can't be used: {error}") from error
    # A cosigning key is a witness's and no log's (C2SP tlog-cosignature): trusting it would let a witness speak for the log.
    if len({key.name for key in keys}) != 1 or any(key.type is SignatureType.ED25519_COSIGNATURE for key in keys):
        raise errors.ValidationError("give the keys of one log: each has its origin as its name")
    origin, text = keys[0].name, "\n".join(key.text for key in keys)
    if witnessed_logs.with_origin(call.db, origin) is not None:
        witnessed_logs.trust(call.db, origin, text)
    else:
        row = WitnessedLogRow(origin=origin, vkeys=text, size=0, root=EMPTY_ROOT, note="", added_at=call.now, seen_at=None)
        witnessed_logs.add(call.db, row)
    return {"origin": origin}


@operator.operation("ListWitnessedLogs", resource=registry.everything)
def list_witnessed_logs(call: Call) -> Result:
    """Return the logs that are witnessed, with the latest size that was cosigned of each."""
    described = [
        {"origin": row.origin, "size": row.size, "vkeys": row.vkeys.split("\n"), "seen_at": row.seen_at}
        for row in witnessed_logs.every(call.db)
    ]
    return {"logs": described}
