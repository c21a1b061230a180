"""Cookies: their names, how they are hardened, and reading them without believing a tossed one."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from http.cookies import SimpleCookie

_VALUE = re.compile(r"[A-Za-z0-9_.~-]*")


class Cookie(Enum):
    """The cookies we set; the value is the name without its prefix."""

    SESSION = "crownkeep-session"
    FLOW = "crownkeep-sign-in"
    """The sealed state of a sign-in, or of a device's enrolment, that has begun."""
    VISIT = "crownkeep-visit"
    """Random, for the forms of somebody who is not signed in."""
    DEVICE = "crownkeep-device"
    """A browser that its person has signed in with before: strangers' failures don't delay it."""
    ACCOUNT = "crownkeep-account"
    """The account whose sign-in page is wanted, remembered on request."""
    COLUMNS = "crownkeep-columns"
    """Which columns of lists are shown."""
    EXTERNAL = "crownkeep-external"
    """What an identity provider elsewhere was asked, sealed."""
    RECEIVED = "crownkeep-received"
    """What it has answered by SAML, sealed: responses come from elsewhere, and browsers bring no cookies with them."""
    ROLES = "crownkeep-roles"
    """The roles that somebody has switched to lately, sealed."""


def spelled(cookie: Cookie, *, secure: bool) -> str:
    """Return a cookie's name: over TLS with the prefix that keeps other hosts from setting it (RFC 6265bis, 4.1.3)."""
    return f"__Host-{cookie.value}" if secure else cookie.value


def read(header: str, cookie: Cookie, *, secure: bool) -> str:
    """Return a cookie's value, empty where it is absent; also where it comes twice, for then somebody tossed one in."""
    name = spelled(cookie, secure=secure)
    values = [value.strip() for key, _, value in (part.partition("=") for part in header.split(";")) if key.strip() == name]
    return values[0] if len(values) == 1 and _VALUE.fullmatch(values[0]) else ""


def written(cookie: Cookie, value: str, *, secure: bool, lasts: timedelta | None = None, same_site: str = "Lax") -> str:
    """Write a Set-Cookie header; without `lasts` the cookie ends with the browser. Raises ValueError for odd letters."""
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the value of the cookie `{cookie.value}` holds letters that a header must not")
    morsel: SimpleCookie = SimpleCookie()
    name = spelled(cookie, secure=secure)
    morsel[name] = value
    morsel[name]["path"] = "/"
    morsel[name]["httponly"] = True
    morsel[name]["samesite"] = same_site
    if secure:
        morsel[name]["secure"] = True
    if lasts is not None:
        morsel[name]["max-age"] = int(lasts.total_seconds())
    return morsel[name].OutputString()


def expired(cookie: Cookie, *, secure: bool) -> str:
    """Write the Set-Cookie header that takes a cookie away."""
    return written(cookie, "", secure=secure, lasts=timedelta(0))
