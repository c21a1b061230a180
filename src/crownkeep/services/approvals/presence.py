"""Custodians who are there: each proves it by their security key over a challenge of ours, for one purpose and a short time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from crownkeep import base64url, clock, errors
from crownkeep.credentials import approval_proofs, sealing
from crownkeep.credentials.approval_proofs import CustodianKey
from crownkeep.credentials.sealing import Purpose, Unsealable
from crownkeep.credentials.webauthn import WebauthnRefused
from crownkeep.domain.approvals import enrolment, voting
from crownkeep.operations import approval_standing
from crownkeep.operations.call import Call
from crownkeep.storage.approvals import approver_keys
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow

PROVEN_WITHIN = timedelta(minutes=5)
REQUESTS, KEYS = "requests", "keys"
"""What a challenge is for. What was signed to see requests changes no keys."""
_CONTEXT = sealing.context_of("approver")


def token(call: Call, **values: object) -> bytes:
    """Return what this server knows again within five minutes; the SHA-256 of it is a challenge."""
    until = int((call.now + PROVEN_WITHIN).timestamp())
    plain = json.dumps({**values, "until": until, "random": clock.token_bytes(16).hex()}).encode()
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    # Nothing is stored: strangers ask for challenges, and each would leave a row.
    return sealing.seal(call.keyring, plain, purpose=Purpose.COOKIE, context=_CONTEXT, nonce=nonce)


def read(call: Call, blob: bytes, *, purpose: str) -> Mapping[str, Any]:
    """Return what a token holds; raises ValueError for one of another purpose, and for one that is over or none."""
    plain: dict[str, Any] = json.loads(sealing.unseal(call.keyring, blob, purpose=Purpose.COOKIE, context=_CONTEXT))
    if plain.get("for") != purpose or call.now.timestamp() >= plain["until"]:
        raise ValueError("the token is over, or is for something else")
    return plain


def proven(call: Call, given: str, answer: str, *, purpose: str) -> ApproverKeyRow:
    """Return the key by which somebody proves to be there; raises AccessDenied in the same words whatever is wrong."""
    try:
        blob = base64url.decode(given)
        read(call, blob, purpose=purpose)
        assertion = approval_proofs.assertion_of(voting.mapping(answer))
        key = approver_keys.with_credential(call.db, assertion.credential_id)
        if key is None or approval_standing.disabled(call.db, {key.identity}):
            # Refused like any other failure: whether a key is known is told to nobody.
            raise WebauthnRefused("the key is nobody's, or whoever has it is disabled")
        held = CustodianKey(key.credential_id, key.public_key)
        approval_proofs.verify_assertion(hashlib.sha256(blob).digest(), assertion, held, enrolment.party(call.settings))
    except (Unsealable, ValueError) as error:
        raise errors.AccessDenied("this security key is of no custodian, or it took too long: try again") from error
    return key
