"""ID tokens: what tells a command line whose credentials it has been given."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Purpose
from crownkeep.operations.call import Call
from crownkeep.principals import Principal

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the group of P-256 (SEC 2, 2.4.2)."""


def mint(call: Call, principal: Principal, *, client_id: str, seconds: int) -> str:
    """Make the ID token of a principal: its subject is the principal's ARN, as the AWS CLI expects."""
    issued_at = int(call.now.timestamp())
    claims: dict[str, object] = {
        "iss": call.settings.url,
        "sub": principal.arn,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + seconds,
    }
    return jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, _key(call))


def _key(call: Call) -> ECKey:
    """Return the key that ID tokens are signed with, derived from the sealing key: it is the same in every process."""
    derived = sealing.fingerprint(call.keyring, b"key of ID tokens", purpose=Purpose.OAUTH_TOKEN)
    number = int.from_bytes(derived, "big") % (_ORDER - 1) + 1
    return ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
