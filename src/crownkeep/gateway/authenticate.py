"""Whose signature is this? From a signed request to the principal that stands behind the key, or a refusal."""

from __future__ import annotations

from datetime import datetime

from crownkeep import errors
from crownkeep.credentials import access_keys, operator_tokens, session_tokens
from crownkeep.credentials.access_keys import KeyPrefix
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.session_tokens import Claims
from crownkeep.gateway import sigv4
from crownkeep.gateway.signature import SignableRequest, Signature
from crownkeep.operations.standing import SeenStandings, SigningKey, Standing
from crownkeep.principals import Operator, Principal
from crownkeep.storage.credentials import operators
from crownkeep.storage.database import Transaction

_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"


def standing_of(signature: Signature, standings: SeenStandings) -> Standing:
    """Return the standing of the account that a key id names; raises InvalidClientTokenId where it names none of ours."""
    # The account is encoded in the id itself, so that one look at its revision decides whether anything cached may be used.
    account_id = access_keys.account_of(signature.access_key_id)
    standing = None if account_id is None else standings.of_account(account_id)
    if standing is None:
        raise errors.InvalidClientTokenId(_INVALID)
    return standing


def known_key(db: Transaction, signature: Signature, *, standing: Standing, keyring: Keyring) -> SigningKey | Claims:
    """Return the key that a signature names: a long-term one, whatever its status, or what a session token says of it.

    Raises InvalidClientTokenId where there is none: a key id alone, which anybody can make up, names nobody's account.
    """
    # Long-term keys come from the account's standing; temporary ones are not stored at all: the token itself holds them,
    # sealed.
    if access_keys.prefix_of(signature.access_key_id) is not KeyPrefix.TEMPORARY:
        key = standing.signing_key(db, signature.access_key_id)
        if key is None:
            raise errors.InvalidClientTokenId(_INVALID)
        return key
    if signature.session_token is None:
        raise errors.InvalidClientTokenId(_INVALID)
    try:
        # The token names its key: with another key's id it doesn't open, so tokens and keys can't be mixed.
        return session_tokens.read(keyring, signature.session_token, access_key_id=signature.access_key_id)
    except session_tokens.InvalidToken as error:
        raise errors.InvalidClientTokenId(_INVALID) from error


def authenticate(
    db: Transaction,
    request: SignableRequest,
    signature: Signature,
    key: SigningKey | Claims,
    *,
    standing: Standing,
    now: datetime,
) -> Principal:
    """Return the principal whose key signed the request; `standing` is that of the account that the key belongs to.

    Raises InvalidClientTokenId (inactive or void), SignatureDoesNotMatch, ExpiredToken or RequestExpired. The order is AWS's: the
    key, then the signature, then the token's age.
    """
    # The token says whose credentials these are. It was sealed by us, so what it says is true; only whether it still holds is
    # asked below.
    if isinstance(key, Claims):
        sigv4.verify(request, signature, key.secret, now=now)
        # After the signature: whoever can't sign is not told that a token has expired.
        if key.is_expired(now):
            raise errors.ExpiredToken(_EXPIRED)
        # What the token says was true when it was made: `vouch` asks whether the role, its trust and the revocations still let
        # it be.
        return standing.vouch(db, key.principal)
    # A long-term key has no session token.
    # One text for inactive, deleted and unknown keys: which of them it is would tell a stranger that the id exists.
    if not key.is_active or signature.session_token is not None:
        raise errors.InvalidClientTokenId(_INVALID)
    sigv4.verify(request, signature, key.secret, now=now)
    return key.principal


def operator(db: Transaction, header: str, shared: Secret) -> Operator:
    """Return whose bearer token an Authorization header carries, the shared one or an operator's own, expired or not.

    Raises AccessDenied where it is nobody's.
    """
    if bearer_matches(header, shared):
        return Operator()
    token = Secret(bearer_in(header))
    # The id is a part of the token's text, so the row is found without comparing secrets, and the digest is compared in
    # constant time after.
    token_id = operator_tokens.id_of(token)
    found = operators.with_token(db, token_id) if token_id else None
    if found is None or not operator_tokens.matches(token, found.token_digest):
        raise errors.AccessDenied(
            "the operator's token is missing or wrong; it is in `operator.token` of the data directory, "
            "or what `crownkeep operator add` has printed"
        )
    return Operator(found.name, found.token_id, tuple(found.scopes.split()), found.expires_at)


def require_unexpired(operator: Operator, *, now: datetime) -> None:
    """Raise AccessDenied where a named operator's token is no longer good."""
    if operator.expires_at is not None and operator.expires_at <= now:
        raise errors.AccessDenied(
            f"the token of operator `{operator.name}` expired at {operator.expires_at:%Y-%m-%dT%H:%M:%SZ}; "
            f"`crownkeep operator rotate {operator.name}` makes a new one"
        )


def bearer_matches(header: str, token: Secret) -> bool:
    """Tell, in constant time, whether an Authorization header carries this bearer token (RFC 6750, section 2.1)."""
    return Secret(bearer_in(header)) == token


def bearer_in(header: str) -> str:
    """Return the bearer token in an Authorization header; empty where there is none."""
    scheme, _, given = header.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""
