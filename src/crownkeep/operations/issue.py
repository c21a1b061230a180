"""Issuing temporary credentials: a key id, a secret, and the sealed token that carries the whole session."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import clock
from crownkeep.credentials import access_keys, session_tokens
from crownkeep.credentials.access_keys import Prefix
from crownkeep.operations.call import Call
from crownkeep.principals import Principal, Session


def credentials(call: Call, principal: Principal, session: Session) -> dict[str, object]:
    """Answer `Credentials` for a principal in a session; nothing is stored, since the token says it all."""
    key_id = access_keys.mint(Prefix.TEMPORARY, principal.account_id, clock.token_bytes(access_keys.ID_ENTROPY))
    secret = access_keys.mint_secret(clock.token_bytes(access_keys.SECRET_ENTROPY))
    holder = replace(principal, access_key_id=key_id, session=session)
    nonce = clock.token_bytes(session_tokens.NONCE_SIZE)
    token = session_tokens.mint(call.keyring, holder, secret, nonce=nonce)
    return {
        "AccessKeyId": key_id,
        "SecretAccessKey": secret.reveal(),
        "SessionToken": token,
        "Expiration": session.expires_at.replace(microsecond=0),
    }
