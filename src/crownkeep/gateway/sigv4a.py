"""Signature Version 4A: asymmetric signatures, whose key pair is derived from the same secret and holds everywhere."""

from functools import lru_cache
from hmac import digest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# The order of P-256 (NIST SP 800-186, 3.2.1.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_LABEL = b"AWS4-ECDSA-P256-SHA256"


def verify(message: bytes, signature: str, *, key_id: str, secret: str) -> bool:
    """Tell whether `signature`, a DER signature in hexadecimal, was made over `message` with the derived key."""
    try:
        _public_key(key_id, secret).verify(bytes.fromhex(signature), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def private_key(key_id: str, secret: str) -> ec.EllipticCurvePrivateKey:
    """Derive the key pair of an access key.

    NIST SP 800-108 in counter mode with HMAC-SHA-256, repeated with the next counter byte in the (2^-32) case that the
    candidate is no valid scalar, as FIPS 186-4 B.4.2 asks (IAM user guide, "SigV4a").
    """
    for counter in range(1, 255):
        label = _LABEL + b"\0" + key_id.encode() + bytes((counter,))
        # Fixed input of SP 800-108: the counter (32 bits), label, 0x00, context, and the length in bits (32 bits).
        fixed = (1).to_bytes(4, "big") + label + (256).to_bytes(4, "big")
        candidate = int.from_bytes(digest(b"AWS4A" + secret.encode(), fixed, "sha256"), "big")
        # A candidate in 0..n-2, plus one, is uniform over the valid scalars 1..n-1; anything larger is tried again, and not
        # reduced, which would be biased.
        if candidate <= _ORDER - 2:
            return ec.derive_private_key(candidate + 1, ec.SECP256R1())
    raise ValueError("no key can be derived from the secret: mint another access key")


# Cached, as deriving costs a multiplication on the curve. The secret is part of the cache's key: a new secret never meets an
# old point.
@lru_cache(maxsize=1024)
def _public_key(key_id: str, secret: str) -> ec.EllipticCurvePublicKey:
    return private_key(key_id, secret).public_key()
