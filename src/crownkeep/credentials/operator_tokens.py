"""Bearer tokens of named operators: an id in the clear to find them by, and 256 random bits of which a hash is kept."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from hmac import compare_digest

from crownkeep import base64url
from crownkeep.credentials.secret import Secret

ENTROPY = 42
"""Random bytes of a token: ten for its id, the rest secret."""

_ID_BYTES = 10
_TOKEN = re.compile(r"ckop_([a-z2-7]{16})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class OperatorToken:
    """A freshly minted token: its text, to be shown once, and what to store of it."""

    token: Secret
    token_id: str
    digest: bytes


def mint(random: bytes) -> OperatorToken:
    """Mint a token from ENTROPY random bytes; its beginning `ckop_` lets scanners of sources find one that leaked."""
    if len(random) != ENTROPY:
        raise ValueError(f"a token takes {ENTROPY} random bytes, and not {len(random)}")
    token_id = base64.b32encode(random[:_ID_BYTES]).decode().lower()
    token = Secret(f"ckop_{token_id}_{base64url.encode(random[_ID_BYTES:])}")
    return OperatorToken(token, token_id, _digest(token))


def id_of(token: Secret) -> str:
    """Return the id that a token claims, empty for what is no token."""
    found = _TOKEN.fullmatch(token.reveal())
    return found.group(1) if found else ""


def matches(token: Secret, digest: bytes) -> bool:
    """Tell, in constant time, whether this is the token whose digest was stored."""
    return compare_digest(_digest(token), digest)


def _digest(token: Secret) -> bytes:
    # Of 256 random bits: nobody guesses them, so that a slow hash would only slow down the operator.
    return hashlib.sha256(token.reveal().encode()).digest()
