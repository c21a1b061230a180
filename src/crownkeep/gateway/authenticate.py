"""Whose signature is this? From a signed request to the principal that stands behind the key, or a refusal."""

from __future__ import annotations

from datetime import datetime

from crownkeep import errors
from crownkeep.credentials import access_keys, session_tokens
from crownkeep.credentials.access_keys import Prefix
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.gateway import sigv4
from crownkeep.gateway.signature import Request, Signature
from crownkeep.operations.standing import Standing, Standings
from crownkeep.principals import Principal
from crownkeep.storage.database import Transaction

_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"


def standing_of(db: Transaction, signature: Signature, standings: Standings) -> Standing | None:
    """Answer the standing of the account that a key id names, or None where it names none of ours."""
    account_id = access_keys.account_of(signature.access_key_id)
    return None if account_id is None else standings.of_account(db, account_id)


def authenticate(
    db: Transaction, request: Request, signature: Signature, *, standing: Standing | None, keyring: Keyring, now: datetime
) -> Principal:
    """Answer the principal whose key signed the request; `standing` is that of the account that the key names.

    Raises InvalidClientTokenId (unknown, inactive or void), SignatureDoesNotMatch, ExpiredToken or RequestExpired. The order is
    AWS's: the key, then the signature, then the token's age.
    """
    # 1. A key of no account of ours is unknown, whatever it looks like.
    if standing is None:
        raise errors.InvalidClientTokenId(_INVALID)
    if access_keys.prefix_of(signature.access_key_id) is Prefix.TEMPORARY:
        return _temporary(db, request, signature, standing=standing, keyring=keyring, now=now)
    # 2. A long-term key has no session token, and must be there and active in an account that is.
    key = standing.signing_key(db, signature.access_key_id)
    if key is None or not key.is_active or signature.session_token is not None or not standing.is_active(db):
        raise errors.InvalidClientTokenId(_INVALID)
    # 3. The signature, in constant time.
    sigv4.verify(request, signature, key.secret, now=now)
    return key.principal


def bearer_matches(header: str, token: Secret) -> bool:
    """Answer, in constant time, whether an Authorization header carries this bearer token (RFC 6750, section 2.1)."""
    scheme, _, given = header.partition(" ")
    return scheme.lower() == "bearer" and Secret(given.strip()) == token


def _temporary(
    db: Transaction, request: Request, signature: Signature, *, standing: Standing, keyring: Keyring, now: datetime
) -> Principal:
    if signature.session_token is None:
        raise errors.InvalidClientTokenId(_INVALID)
    try:
        claims = session_tokens.read(keyring, signature.session_token, access_key_id=signature.access_key_id)
    except session_tokens.InvalidToken as error:
        raise errors.InvalidClientTokenId(_INVALID) from error
    sigv4.verify(request, signature, claims.secret, now=now)
    if claims.is_expired(now):
        raise errors.ExpiredToken(_EXPIRED)
    return standing.vouch(db, claims.principal)
