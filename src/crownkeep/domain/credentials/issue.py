"""Issuing temporary credentials: a key id, a secret, and the sealed token that carries the whole session."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import clock, errors
from crownkeep.credentials import access_keys, session_tokens
from crownkeep.credentials.access_keys import KeyPrefix
from crownkeep.operations.call import Call
from crownkeep.principals import Principal, Session

LARGEST_TOKEN = 4096
"""Characters of the longest session token issued: AWS's one limit for policies, tags and all else since September 2026."""


def credentials(call: Call, principal: Principal, session: Session, *, minimum_token_size: int = 0) -> dict[str, object]:
    """Return `Credentials` for a principal in a session; nothing is stored, since the token says it all.

    A token shorter than `minimum_token_size` characters is filled up. Raises PackedPolicyTooLarge.
    """
    # The key id holds the account's id, so that the account is known before the token is opened.
    key_id = access_keys.mint(KeyPrefix.TEMPORARY, principal.account_id, clock.token_bytes(access_keys.ID_ENTROPY))
    secret = access_keys.mint_secret(clock.token_bytes(access_keys.SECRET_ENTROPY))
    holder = replace(principal, access_key_id=key_id, session=session)
    nonce = clock.token_bytes(session_tokens.NONCE_SIZE)
    token = session_tokens.mint(call.keyring, holder, secret, nonce=nonce, minimum_size=minimum_token_size)
    # What counts is the token as the client will send it: after compression, sealing and base64.
    if len(token) > LARGEST_TOKEN:
        raise errors.PackedPolicyTooLarge(_too_large(session, utilization(token)))
    return {
        "AccessKeyId": key_id,
        "SecretAccessKey": secret.reveal(),
        "SessionToken": token,
        # AWS writes whole seconds. They are rounded down: a client must not take credentials to last longer than they do.
        "Expiration": session.expires_at.replace(microsecond=0),
    }


def utilization(token: str) -> int:
    """Return how many per cent of the longest token's size a token takes, rounded up."""
    # Rounded up in whole numbers: a token that is too long by one byte must not be shown as 100 %.
    return -(-len(token) * 100 // LARGEST_TOKEN)


def token_members(issued: dict[str, object]) -> dict[str, object]:
    """Return what STS says of the token in issued credentials: its size, and how much of the limit that is."""
    token = str(issued["SessionToken"])
    return {"SessionTokenSize": len(token), "SessionTokenUtilization": utilization(token)}


def _too_large(session: Session, percent: int) -> str:
    # A policy is the likeliest reason, so it is named first when there are tags as well.
    if session.has_policy or session.scopes:
        return f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
    if session.tags:
        return f"Packed size of session tags consumes {percent}% of allotted space."
    return "Serialized token too large for session"
