"""Code challenges: what a client that asks for an authorization code must send, so that a stolen code is worth nothing."""

from __future__ import annotations

import re

METHODS = ("S256", "SHA-256")
"""As RFC 7636 names the method, and as the AWS CLI does; `plain`, which hides nothing, is not among them."""

# A SHA-256 digest in base64url without padding (RFC 7636, section 4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# Long enough that nobody guesses it, and of characters that an address holds as they are.
_STATE = re.compile(r"[A-Za-z0-9._~+/=-]{8,512}")


def is_challenge(text: str) -> bool:
    """Tell whether a text may be a challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def is_state(text: str) -> bool:
    """Tell whether a text may be the state by which a client knows the answer to its own request (RFC 6749, section 10.12)."""
    return _STATE.fullmatch(text) is not None
