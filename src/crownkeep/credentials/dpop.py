"""Proofs of possession: DPoP headers (RFC 9449), which bind a refresh token to a key that never leaves its client.

A proof is a JWT, signed with ES256 by the key that stands in its own header, for one method and one address, once.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from crownkeep import base64url

LONGEST = 4096
"""Characters of the longest proof that is looked at."""

LIFETIME = timedelta(minutes=5)
"""How old a proof may be, and how far its client's clock may be ahead of ours."""

_ALGORITHM = "ES256"
_PART = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_ID = 256
_KEY_MEMBERS = frozenset({"kty", "crv", "x", "y", "alg", "use", "kid", "key_ops", "ext"})


class InvalidProof(ValueError):
    """A header proves nothing; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class DpopProof:
    """What a verified proof says."""

    thumbprint: str
    """The SHA-256 thumbprint of the key (RFC 7638), which tokens are bound to."""
    digest: bytes
    """A hash of the key and the proof's own id: who sees it a second time sees a replay."""
    expires_at: datetime
    """From when on a replay is refused for its age alone."""


def verify(header: str, *, method: str, addresses: frozenset[str], now: datetime) -> DpopProof:
    """Verify the value of a DPoP header as RFC 9449, section 4.3, says; raises InvalidProof.

    `addresses` are the URLs without a query under which the request may have been sent. That the proof was not seen before is for
    the caller to check, who remembers `digest` until `expires_at`.
    """
    # 1. One well-formed JWT of the right type; a second header would have been joined to the first by a comma.
    parts = header.split(".")
    if len(header) > LONGEST or len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise InvalidProof("the DPoP header is no signed JWT")
    head = _members(parts[0])
    # A critical extension must be understood (RFC 7515, 4.1.11), and we understand none.
    if head.get("typ") != "dpop+jwt" or head.get("alg") != _ALGORITHM or "crit" in head:
        raise InvalidProof("the DPoP proof must be of the type `dpop+jwt` and signed with ES256")
    # 2. Signed by the public P-256 key that it names.
    key = _public_key(head.get("jwk"))
    try:
        payload = jws.deserialize_compact(header, key, algorithms=[_ALGORITHM]).payload
    except (JoseError, ValueError) as error:
        raise InvalidProof("the DPoP proof is not signed by the key it names") from error
    claims = _decoded(payload)
    # 3. For this request, and for no other.
    if claims.get("htm") != method:
        raise InvalidProof("the DPoP proof is for another method")
    address = claims.get("htu")
    # Query and fragment don't count (RFC 9449, section 4.3, step 9).
    if not isinstance(address, str) or re.split(r"[?#]", address, maxsplit=1)[0] not in addresses:
        raise InvalidProof("the DPoP proof is for another address")
    # 4. Made lately, and with an id of its own.
    issued_at = _issued_at(claims.get("iat"))
    if not now - LIFETIME <= issued_at <= now + LIFETIME:
        raise InvalidProof("the DPoP proof was not made lately: check the clock")
    proof_id = claims.get("jti")
    if not isinstance(proof_id, str) or not 0 < len(proof_id) <= _LONGEST_ID:
        raise InvalidProof("the DPoP proof has no id")
    thumbprint = key.thumbprint()
    # JSON may hold a lone surrogate, which plain UTF-8 would refuse with an error.
    digest = hashlib.sha256(f"{thumbprint} {proof_id}".encode("utf-8", "surrogatepass")).digest()
    # Twice: a proof may come from as far ahead as it may be old.
    return DpopProof(thumbprint, digest, issued_at + 2 * LIFETIME)


def _public_key(jwk: object) -> ECKey:
    # A private key in the header (`d`) would be the client's mistake, and must not be accepted or logged.
    if not isinstance(jwk, Mapping) or not _KEY_MEMBERS.issuperset(jwk) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise InvalidProof("the DPoP proof must name a public key on the curve P-256, and nothing private")
    try:
        return ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise InvalidProof("the DPoP proof names no usable key") from error


def _issued_at(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidProof("the DPoP proof does not say when it was made")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidProof("the DPoP proof does not say when it was made") from error


def _members(part: str) -> Mapping[str, Any]:
    try:
        return _decoded(base64url.decode(part))
    except binascii.Error as error:
        raise InvalidProof("the DPoP header is no signed JWT") from error


def _decoded(text: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidProof("the DPoP header is no signed JWT") from error
