"""GetIntegrity: how the trail stands, from what was signed, cosigned, verified and withheld, and from nothing else."""

from __future__ import annotations

from crownkeep.audit import notes
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import everything
from crownkeep.services.trail.service import trail
from crownkeep.storage.trail import checkpoints, leaves, log_keys, verifications, withholdings


@trail.operation("GetIntegrity", resource=everything)
def get_integrity(call: Call) -> Result:
    """Return the last checkpoint, its witnesses, the last full verification and how many records were withheld."""
    newest, size, verified = checkpoints.newest(call.db), leaves.count(call.db), verifications.latest(call.db)
    keys = log_keys.every(call.db, log_keys.LOG)
    account = call.standing.account(call.db)
    answer: dict[str, object] = {
        "Origin": notes.read_key(keys[0].vkey).name if keys else "",
        "Keys": [row.vkey for row in keys],
        "TreeSize": size,
        "Unsigned": size - (newest.size if newest else 0) + leaves.pending_count(call.db),
        "Witnesses": [],
        "WithheldRecords": withholdings.count_of_account(call.db, call.account_id, since=account.created_at) if account else 0,
        "SealedRecords": withholdings.count_sealed(call.db, call.account_id, since=account.created_at) if account else 0,
    }
    if newest is not None:
        answer["Checkpoint"] = {"Size": newest.size, "RootHash": notes.encode(newest.root), "SignedAt": newest.signed_at}
        others = checkpoints.newest_of_witnesses(call.db, other_than=newest.origin)
        answer["Witnesses"] = [{"Name": row.name, "Size": row.size, "SignedAt": row.signed_at} for row in others]
    if verified is not None:
        answer["LastVerification"] = {
            "VerifiedAt": verified.verified_at,
            "Size": verified.size,
            "IsAsItWas": verified.findings == 0,
            "Findings": verified.findings,
        }
    return answer
