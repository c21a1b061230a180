"""Addresses: which ones mail may be sent to, and which must never be written to."""

from __future__ import annotations

import re

LONGEST = 254
"""Characters of an address at most (RFC 5321, 4.5.3.1.3, less the brackets)."""

_LONGEST_LOCAL_PART = 64
# The dot-atom of RFC 5322, 3.2.3: what needs quoting can be read as two addresses, as a route, or as a comment.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


def is_deliverable(address: str) -> bool:
    """Tell whether mail may be sent to an address: ASCII, one plain local part, a domain by name, and nothing to misread.

    A domain whose last label is a number is an address of a machine (RFC 1123, 2.1), and none of ours to mail to.
    """
    local, at, domain = address.rpartition("@")
    if not at or len(address) > LONGEST or len(local) > _LONGEST_LOCAL_PART:
        return False
    if not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return False
    return not domain.rpartition(".")[2].isdigit()
