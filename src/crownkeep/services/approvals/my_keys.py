"""A custodian's own keys: seen, one more added, one removed. Whoever has a key of theirs does it, and needs no account.

No policy is asked: each step begins with the assertion of a key that is there already. Whoever has none learns nothing.
"""

from __future__ import annotations

import hashlib
import json
from binascii import Error as NoBase64

from crownkeep import base64url, errors
from crownkeep.credentials.approval_proofs import CustodianKey
from crownkeep.credentials.sealing import Unsealable
from crownkeep.domain.approvals import enrolment, key_changes
from crownkeep.domain.approvals.key_changes import KeyChange
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.operations import approval_standing, registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission
from crownkeep.services.approvals import presence
from crownkeep.services.approvals.service import approvals
from crownkeep.storage.approvals import approver_keys
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow

_CHANGE = "change keys"
_OVER = "The page has expired: show your security key again."


@approvals.operation("ListMyKeys", resource=registry.everything, permission=Permission.NONE)
def list_my_keys(call: Call, *, token: str, assertion: str) -> Result:
    """Return a custodian's keys, and what they need within five minutes to add or remove one."""
    used = presence.proven(call, token, assertion, purpose=presence.KEYS)
    who = key_changes.required(call, used.identity)
    ceremony = presence.token(call, **{"for": _CHANGE, "identity": used.identity, "key": used.key_id})
    options = enrolment.registration_options(call.db, call.settings, who, hashlib.sha256(ceremony).digest())
    return {
        "Name": who.name,
        "Keys": [_shown(each, used) for each in approver_keys.of_identity(call.db, used.identity)],
        "Ceremony": base64url.encode(ceremony),
        "Options": json.dumps(dict(options)),
        "RelyingPartyId": enrolment.party(call.settings).id,
    }


@approvals.operation("AddKey", resource=registry.everything, permission=Permission.NONE, effect=Effect.STATE)
def add_key(call: Call, *, ceremony: str, credential: str, nickname: str = "Security key") -> Result:
    """Enrol another key of whoever has just shown one; it decides on nothing that was asked before."""
    blob, who = _held(call, ceremony)
    challenge, answer = hashlib.sha256(blob).digest(), enrolment.read(credential)
    row = enrolment.enrol_another(call.db, call.settings, who, answer, challenge=challenge, nickname=nickname, now=call.now)
    key_changes.record_change(call, who, KeyChange.ADDED, [row])
    return {"KeyId": row.key_id}


@approvals.operation("RemoveKey", resource=registry.everything, permission=Permission.NONE, effect=Effect.STATE)
def remove_key(call: Call, *, ceremony: str, key_id: str) -> Result:
    """Remove a key of whoever has just shown one, such as one that is lost; the last one stays."""
    _, who = _held(call, ceremony)
    key_changes.record_change(call, who, KeyChange.REMOVED, [key_changes.remove(call, who, key_id)])
    return NOTHING


def _held(call: Call, ceremony: str) -> tuple[bytes, ApproverIdentity]:
    """Return who has shown a key that they still have; raises AccessDenied."""
    try:
        blob = base64url.decode(ceremony)
        plain = presence.read(call, blob, purpose=_CHANGE)
    except (Unsealable, NoBase64, ValueError) as error:
        raise errors.AccessDenied(_OVER) from error
    identity = str(plain["identity"])
    # A key that was removed since it was shown proves nothing any more, such as one that is lost.
    has_it = any(each.key_id == plain["key"] for each in approver_keys.held(call.db, identity))
    if not has_it or approval_standing.disabled(call.db, {identity}):
        raise errors.AccessDenied(_OVER)
    call.notes.additional |= {"approver": identity, "approvalKeyId": plain["key"]}
    return blob, key_changes.required(call, identity)


def _shown(row: ApproverKeyRow, used: ApproverKeyRow) -> dict[str, object]:
    shown: dict[str, object] = {
        "KeyId": row.key_id,
        "Nickname": row.nickname,
        "Fingerprint": CustodianKey(row.credential_id, row.public_key).fingerprint,
        "Certifications": row.certifications.splitlines(),
        "IsSynced": row.is_synced,
        "EnrolledAt": row.enrolled_at,
        "IsShown": row.key_id == used.key_id,
    }
    return shown | ({"LastUsedAt": row.last_used_at} if row.last_used_at is not None else {})
