"""Names of members: as the model spells them, as Python spells them, as AWS's records and messages spell them."""

from __future__ import annotations

import keyword
import re
from functools import cache

_PLURAL_OF_ABBREVIATION = re.compile(r"(?<=.)(?=[A-Z]{2,}s\Z)")
_CAPITALISED_WORD = re.compile(r"(?<=[^_])(?=[A-Z][a-z])")
_START_OF_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@cache
def snake_case(name: str) -> str:
    """Return a member's name in snake case (`QRCodePNG` is `qr_code_png`), as boto3 names its methods.

    A word that Python keeps for itself gets an underscore after it.
    """
    if "_" in name:
        return name
    name = name.replace("OAuth", "Oauth")
    plural = _PLURAL_OF_ABBREVIATION.search(name)
    if plural:
        # An abbreviation's plural is one word: `ListAccountIDs` ends in `_ids`.
        name = f"{name[: plural.start()]}_{name[plural.start() :].lower()}"
    words = _START_OF_CAPITALS.sub("_", _CAPITALISED_WORD.sub("_", name)).lower()
    return f"{words}_" if keyword.iskeyword(words) else words


@cache
def lower_camel(name: str) -> str:
    """Return a member's name as CloudTrail's records and AWS's messages write it: `userName`, `sSHPublicKeyId`."""
    return name[:1].lower() + name[1:]
