"""Filters, as far as IAM Identity Center knows them: `attribute eq "value"`, joined by `and` (RFC 7644, section 3.4.2.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from crownkeep import canonical_json
from crownkeep.services.scim import bodies

# Each part ends where the next must begin, so that no text makes it try anew from many places.
_TERM = re.compile(r'\s*([A-Za-z][A-Za-z0-9.]{0,63})\s+eq\s+("(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*")\s*', re.IGNORECASE)
_AND = re.compile(r"and(?=\s)", re.IGNORECASE)


def read(text: str, *, known: Mapping[str, str], together: Collection[frozenset[str]]) -> dict[str, str]:
    """Return what a filter asks each attribute to be; raises ValidationException for any other filter.

    `known` spells attributes by their names in lower case; `together` says which may be asked for at once.
    """
    found: dict[str, str] = {}
    position = 0
    while True:
        term = _TERM.match(text, position)
        name = known.get(term[1].lower()) if term else None
        if term is None or name is None or name in found:
            names = ", ".join(sorted(set(known.values())))
            raise bodies.unparsable(f'a filter is `ATTRIBUTE eq "VALUE"` for one of {names}')
        found[name] = _value(term[2])
        position = term.end()
        if position == len(text):
            break
        joined = _AND.match(text, position)
        if joined is None:
            raise bodies.unparsable("filters are joined by `and` alone")
        position = joined.end()
    if frozenset(found) not in together:
        raise bodies.unparsable("these attributes can't be asked for together")
    return found


def _value(quoted: str) -> str:
    try:
        value = msgspec.json.decode(quoted, type=str)
    except msgspec.DecodeError as error:
        raise bodies.unparsable("a filter's value is a JSON text") from error
    if not canonical_json.is_storable(value):
        raise bodies.unparsable("a filter's value has a null character or half a character in it")
    return value
