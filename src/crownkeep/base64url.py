"""Base64 for addresses, cookies and JSON Web Tokens: the URL-safe alphabet without padding (RFC 4648, section 5; RFC 7515)."""

from __future__ import annotations

import base64


def encode(value: bytes) -> str:
    """Return the text of some bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text, padded or not; raises binascii.Error, a ValueError, for what is none, blanks among it."""
    # A character beyond ASCII becomes one that the alphabet doesn't have: b64decode would raise another error for it.
    spelled = text.encode("ascii", "replace")
    return base64.b64decode(spelled + b"=" * (-len(spelled) % 4), altchars=b"-_", validate=True)
