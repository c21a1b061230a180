"""Known browsers: a cookie by which a browser proves that a person has signed in with it before.

It grants nothing but a counter of its own: strangers who fail in the person's name do not make this browser wait (OWASP, "Device
cookies"). Whoever steals it gains one more browser's worth of tries.
"""

from __future__ import annotations

from hmac import compare_digest

from crownkeep import base64url, clock
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose

_ENTROPY = 12
_MOST = 5
_MAC_SIZE = 16


def proof(keyring: Keyring, cookie: str, name: str) -> str:
    """Return this browser's number for a person, by the name that they claim; empty for a browser not seen with them."""
    for entry in cookie.split("~")[:_MOST]:
        number, _, mac = entry.partition(".")
        if number and compare_digest(mac.encode(), _mac(keyring, number, name).encode()):
            return number
    return ""


def new_number() -> str:
    """Return a number for a browser in which somebody signs in for the first time."""
    return base64url.encode(clock.token_bytes(_ENTROPY))


def remember(keyring: Keyring, cookie: str, name: str, number: str = "") -> str:
    """Return the cookie with this person's proof in it, first of five at most; `number` is the browser's where it has one."""
    if proof(keyring, cookie, name):
        return cookie
    number = number or new_number()
    return "~".join([f"{number}.{_mac(keyring, number, name)}", *filter(None, cookie.split("~")[: _MOST - 1])])


def _mac(keyring: Keyring, number: str, name: str) -> str:
    message = f"browser {number} of {name}".encode("utf-8", "replace")
    return base64url.encode(sealing.fingerprint(keyring, message, purpose=Purpose.COOKIE)[:_MAC_SIZE])
