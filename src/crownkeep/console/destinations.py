"""Destinations: where a browser may be sent after signing in. Only to pages of ours, whatever an address says."""

from __future__ import annotations

import re

HOME = "/console"

# A path of ours in plain letters: no second slash or backslash at its start, which browsers take for another host, and no control
# character, which would end the header.
# Longer ones would not fit into the cookie of a sign-in that is under way.
_PATH = re.compile(r"/(?:console|switchrole|v1/authorize|federation)(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_LONGEST = 1500


def ours(destination: str) -> str:
    """Answer the destination where it is a page of ours, and the console's first page for anything else."""
    if len(destination) <= _LONGEST and (_PATH.fullmatch(destination) or _SIGN_IN.fullmatch(destination)):
        return destination
    return HOME


_SIGN_IN = re.compile(r"/signin(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
