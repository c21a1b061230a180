"""Which services, and which of their actions, a permissions policy gives access to, as far as its statements alone tell.

Resources and conditions are left aside, as AWS does for access reports: a service counts as granted where some statement allows
an action of it in some case, and no statement denies all of it in every case.

A policy may hold hundreds of patterns, each to be compared with every action of every service: so many comparisons are made for a
document, and patterns beyond them pass for naming an action of each service that they are written for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from crownkeep import policy
from crownkeep.catalogue import actions
from crownkeep.operations.giving_way import GivingWay
from crownkeep.policy import Document, Statement
from crownkeep.policy.patterns import Matcher, read_pattern

_EVERYTHING = "*"
_KEPT_DOCUMENTS = 2048
_MOST_COMPARISONS = 100_000
"""Of patterns with names of actions, for one document: what a policy of people's takes a hundredth of, and about 50 ms."""


def services_of(documents: Iterable[str]) -> list[str]:
    """Return the prefixes of the services that these policies give access to, in their order; for long reads."""
    granted, denied = set[str](), set[str]()
    pace = GivingWay()
    for text in documents:
        granted |= _allowed_services(text)
        denied |= _denied_services(text)
        pace.pause()
    return sorted(granted - denied)


def grants(document: str, service: str) -> bool:
    """Tell whether a policy gives access to a service."""
    return service in _allowed_services(document) and service not in _denied_services(document)


def grants_action(document: str, service: str, name: str) -> bool:
    """Tell whether some statement of a policy allows an action in some case."""
    full_name = f"{service}:{name}".lower()
    return any(_mentions(statement, full_name) for statement in _parsed(document).statements if statement.allows)


@lru_cache(_KEPT_DOCUMENTS)
def _allowed_services(document: str) -> frozenset[str]:
    found: set[str] = set()
    comparing = _Comparing()
    for statement in _parsed(document).statements:
        if statement.allows:
            found |= _allowed_by(statement, comparing)
    return frozenset(found)


@lru_cache(_KEPT_DOCUMENTS)
def _denied_services(document: str) -> frozenset[str]:
    found: set[str] = set()
    comparing = _Comparing()
    for statement in _parsed(document).statements:
        if not statement.allows and not statement.conditions and statement.resources == (_EVERYTHING,):
            found |= _denied_by(statement, comparing)
    return frozenset(found)


class _Comparing:
    """Compares patterns with the names of actions, as often as it may for one document."""

    def __init__(self) -> None:
        self._left = _MOST_COMPARISONS

    def services(self, vendor: str, name: str) -> set[str]:
        """Return the services, of those that a vendor pattern means, that have an action like this name, both in lower case."""
        if name == _EVERYTHING:
            return set(_services_like(vendor))
        if "*" not in vendor and "?" not in vendor:
            known = actions.actions_of(vendor)
            return {vendor} if name in known or (_is_pattern(name) and self._any(name, known)) else set()
        by_name = actions.services_by_action()
        meant = set(_services_like(vendor))
        if not _is_pattern(name):
            return meant & by_name.get(name, frozenset())
        return meant & self._having(name, by_name) if self._may(len(by_name)) else meant

    def _any(self, name: str, known: Iterable[str]) -> bool:
        names = tuple(known)
        return not self._may(len(names)) or any(map(read_pattern(name), names))

    def _having(self, name: str, by_name: Mapping[str, frozenset[str]]) -> set[str]:
        matches = read_pattern(name)
        return {service for each, services in by_name.items() if matches(each) for service in services}

    def _may(self, comparisons: int) -> bool:
        self._left -= comparisons
        return self._left >= 0


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _allowed_by(statement: Statement, comparing: _Comparing) -> set[str]:
    if statement.not_actions is not None:
        # All that is not wholly taken out is in.
        return set(actions.services()) - _covered(statement.not_actions)
    return _touched(statement.actions or (), comparing)


def _denied_by(statement: Statement, comparing: _Comparing) -> set[str]:
    # A deny that leaves out a single action of a service doesn't deny all of the service.
    if statement.not_actions is not None:
        return set(actions.services()) - _touched(statement.not_actions, comparing)
    return _covered(statement.actions or ())


def _touched(patterns: Iterable[str], comparing: _Comparing) -> set[str]:
    """The services of which some action is named."""
    found: set[str] = set()
    for pattern in patterns:
        vendor, colon, name = pattern.lower().partition(":")
        if not colon:
            found |= actions.services() if pattern == _EVERYTHING else set()
        # Once every service is found, no further pattern needs comparing.
        elif len(found) < len(actions.services()):
            found |= comparing.services(vendor, name)
    return found


def _covered(patterns: Iterable[str]) -> set[str]:
    """The services of which every action is named by one of the patterns."""
    found: set[str] = set()
    for pattern in patterns:
        prefix, _, name = pattern.lower().partition(":")
        if pattern == _EVERYTHING:
            return set(actions.services())
        if name == _EVERYTHING:
            found |= set(_services_like(prefix))
    return found


def _services_like(prefix: str) -> list[str]:
    if prefix == _EVERYTHING:
        return list(actions.services())
    if "*" not in prefix and "?" not in prefix:
        return [prefix] if actions.is_service(prefix) else []
    matches = read_pattern(prefix)
    return [service for service in actions.services() if matches(service)]


def _mentions(statement: Statement, full_name: str) -> bool:
    if statement.not_actions is not None:
        return not any(matches(full_name) for matches in _matchers(statement.not_actions))
    return any(matches(full_name) for matches in _matchers(statement.actions or ()))


@lru_cache(_KEPT_DOCUMENTS)
def _matchers(patterns: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(read_pattern(pattern.lower()) for pattern in patterns)


@lru_cache(_KEPT_DOCUMENTS)
def _parsed(document: str) -> Document:
    return policy.parse(document)
