"""How much of a request is looked at: little of strangers', and of known callers' no more than any operation can use.

Parsing costs this server more than sending costs a client: a mebibyte of `[],[],[]` takes a third of a second, in which nobody
else is served.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is read of one request."""

    body: int
    """Bytes, as they came and unpacked."""
    elements: int
    """Members, values and lists of a JSON text; parameters of a form, and the parts of their dotted names."""


CALLERS = Bounds(body=1024 * 1024, elements=10_000)
"""For whoever has proved who they are: three times the largest simulation that a tool is known to ask for."""

STRANGERS = Bounds(body=256 * 1024, elements=1_000)
"""For everybody else: a SAML assertion, percent-encoded, is the longest thing that AWS takes from people without a key."""

MOST_IN_QUERY = 2_000
"""Parameters of a query string, which signatures sort before anybody is known."""
