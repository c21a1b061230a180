"""Addresses that identity providers publish and browsers are sent to: https alone, and in letters that no header can break."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

_LONGEST = 2048


def is_for_browsers(address: str) -> bool:
    """Tell whether a browser may be sent to an address: https, with a host and nobody's name in it, and without a fragment."""
    if len(address) > _LONGEST or not address.isascii() or not address.isprintable() or set(address) & set(' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and not parts.fragment and port != 0


def with_query(address: str, **parameters: str) -> str:
    """Return an address with further parameters; those that it has stay."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"
