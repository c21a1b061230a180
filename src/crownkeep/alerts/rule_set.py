"""Rule sets: rules by the names of events that they are about, so that a record is only read where one may fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from crownkeep.alerts.rule import Rule
from crownkeep.storage.trail.events import EventRow

Record = Mapping[str, Any]

_LONGEST_NAME = 128
"""Characters of an event's name that its row keeps."""
_NOTHING = (b"",)
"""Where nothing can be said of what a record must hold: the empty text is in every one."""
_decoder = msgspec.json.Decoder(dict[str, Any])


class RuleSet:
    """Some rules, compiled and in order; a record that concerns none costs a look into a dictionary and a few searches."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_name: dict[str, list[tuple[int, Rule]]] = {}
        # Many rules look for the same members and texts, such as "errorCode" and "Root": a record is searched for each once.
        self._of_any: dict[tuple[bytes, ...], dict[tuple[bytes, ...], list[tuple[int, Rule]]]] = {}
        for order, rule in enumerate(rules):
            if rule.filter is None:
                continue
            names = rule.filter.event_names
            if names is None:
                of_members = self._of_any.setdefault(rule.filter.members or _NOTHING, {})
                of_members.setdefault(rule.filter.pieces or _NOTHING, []).append((order, rule))
            for name in names or ():
                self._by_name.setdefault(name[:_LONGEST_NAME], []).append((order, rule))

    def fired(self, event: EventRow) -> list[Rule]:
        """Return the rules that fire for an event, in their order."""
        raw = event.record
        found = [
            pair for pair in self._by_name.get(event.name, ()) if pair[1].filter is not None and pair[1].filter.may_match(raw)
        ]
        for members, of_members in self._of_any.items():
            if not _is_any(members, raw):
                continue
            for pieces, pairs in of_members.items():
                if _is_any(pieces, raw):
                    found += pairs
        if not found:
            return []
        record = decode(raw)
        found.sort(key=_order)
        return [rule for _, rule in found if rule.filter is not None and rule.filter.matches(record)]


def decode(raw: bytes) -> Record:
    """Read a record that the trail keeps."""
    return _decoder.decode(raw)


def _is_any(pieces: tuple[bytes, ...], raw: bytes) -> bool:
    for piece in pieces:  # noqa: SIM110 - a generator would take twice the time
        if piece in raw:
            return True
    return False


def _order(pair: tuple[int, Rule]) -> int:
    return pair[0]
