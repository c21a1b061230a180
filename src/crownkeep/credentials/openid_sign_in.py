"""ID tokens that a person signs in with: what OpenID Connect Core 1.0, section 3.1.3.7, asks beyond a good signature."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from hmac import compare_digest

from crownkeep import base64url
from crownkeep.credentials import web_identities
from crownkeep.credentials.web_identities import InvalidWebIdentity, PublishedKey, WebIdentity


def verify(token: str, keys: Sequence[PublishedKey], *, issuer: str, client_id: str, nonce: str, now: datetime) -> WebIdentity:
    """Verify an ID token that came for a code; raises InvalidWebIdentity, ExpiredWebIdentity and UnknownKey.

    Shared secrets sign nothing here, whatever the token's header says: anybody who has the provider's public key could otherwise
    use it as one.
    """
    web_identities.claimed(token)
    identity = web_identities.verify(token, keys, issuer=issuer, client_ids=(client_id,), now=now)
    named, party = identity.claims.get("aud"), identity.claims.get("azp")
    audiences = [named] if isinstance(named, str) else named
    # An authorized party alone is enough for roles of accounts, and not for people: a token of another program that the provider
    # let ours use is not a sign-in here.
    if not isinstance(audiences, list) or client_id not in audiences:
        raise InvalidWebIdentity("The token is for another audience")
    if (party is not None and party != client_id) or (len(audiences) > 1 and party is None):
        raise InvalidWebIdentity("The token is for another party")
    given = identity.claims.get("nonce")
    if not isinstance(given, str) or not compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise InvalidWebIdentity("The token was not made for this sign-in")
    return identity


def challenge_of(verifier: str) -> str:
    """Return the challenge that a verifier answers (RFC 7636, S256)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
