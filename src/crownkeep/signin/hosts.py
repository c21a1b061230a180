"""Hosts: by which names this server may be visited. What else a Host header says is not believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from crownkeep.settings import Settings

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_ALIAS = re.compile(r"(?P<alias>[a-z0-9][a-z0-9-]{1,62})\.signin\.(?P<rest>.+)")


@dataclass(frozen=True, slots=True)
class Visited:
    """By which name a browser came: where our pages are for it, and the account that the name itself names."""

    base: str
    """Scheme and host, such as `https://sign-in.acme.example`."""
    name: str
    """The host alone, without its port."""
    account: str = ""
    """The alias in `ALIAS.signin.HOST`, empty for the host itself."""

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, which passkeys can't be bound to."""
        return _is_address(self.name)


def visited(settings: Settings, host: str, scheme: str) -> Visited | None:
    """Return by which of our names a request came, or None for a name that is not ours.

    With `public_url` set, that is the only one. Otherwise this computer's own names and plain addresses are: a page of somebody
    else's domain that is made to point here (DNS rebinding) is neither.
    """
    lowered = host.lower()
    split = _ALIAS.fullmatch(lowered)
    if split:
        outer = visited(settings, split["rest"], scheme)
        return Visited(outer.base, outer.name, split["alias"]) if outer and not outer.account else None
    match = _HOST.fullmatch(lowered)
    if not match:
        return None
    name = match["name"].strip("[]")
    if settings.public_url:
        public = urlsplit(settings.url)
        return Visited(settings.url, name) if lowered in _spellings(public.scheme, public.netloc.lower()) else None
    if name == "localhost" or name.endswith(".localhost") or _is_address(name) or name == settings.host.lower():
        return Visited(f"{scheme}://{lowered}", name)
    return None


def _spellings(scheme: str, netloc: str) -> tuple[str, ...]:
    port = {"http": ":80", "https": ":443"}[scheme] if scheme in ("http", "https") else ""
    return (netloc, f"{netloc}{port}") if ":" not in netloc.rpartition("]")[2] else (netloc, netloc.removesuffix(port))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
