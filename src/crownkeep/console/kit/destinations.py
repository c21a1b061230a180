"""Destinations: where a browser may be sent after signing in. Only to pages of ours, whatever an address says."""

from __future__ import annotations

import re

HOME = "/console"

# A path of ours in plain letters: no second slash or backslash at its start, which browsers take for another host, and no control
# character, which would end the header.
_PATH = re.compile(
    r"/(?:console|signin|start|switchrole|federation|v1/authorize|authorize)(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)

_LONGEST = 1500
"""Characters; a longer one would not fit into the cookie of a sign-in that is under way."""


def ours(destination: str) -> str:
    """Return the destination where it is a page of ours, and the console's first page for anything else."""
    # A browser resolves `/console/..//elsewhere.example` before it asks, and is then on its way to another host.
    if len(destination) > _LONGEST or ".." in destination or not _PATH.fullmatch(destination):
        return HOME
    return destination


ACCOUNT = "/console/account"

SECURITY = "/console/security"
