"""Which services, and which of their actions, a permissions policy gives access to, as far as its statements alone tell.

Resources and conditions are left aside, as AWS does for access reports: a service counts as granted where some statement allows
an action of it in some case, and no statement denies all of it in every case.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from crownkeep import policy
from crownkeep.catalogue import actions
from crownkeep.policy import Document, Statement
from crownkeep.policy.patterns import Matcher, read_pattern

_EVERYTHING = "*"
_KEPT_DOCUMENTS = 2048


def services_of(documents: Iterable[str]) -> list[str]:
    """Return the prefixes of the services that these policies give access to, in their order."""
    texts = tuple(documents)
    granted = frozenset[str]().union(*(_allowed_services(text) for text in texts))
    denied = frozenset[str]().union(*(_denied_services(text) for text in texts))
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
    for statement in _parsed(document).statements:
        if statement.allows:
            found |= _allowed_by(statement)
    return frozenset(found)


@lru_cache(_KEPT_DOCUMENTS)
def _denied_services(document: str) -> frozenset[str]:
    found: set[str] = set()
    for statement in _parsed(document).statements:
        if not statement.allows and not statement.conditions and statement.resources == (_EVERYTHING,):
            found |= _denied_by(statement)
    return frozenset(found)


def _allowed_by(statement: Statement) -> set[str]:
    if statement.not_actions is not None:
        # All that is not wholly taken out is in.
        return set(actions.services()) - _covered(statement.not_actions)
    return _touched(statement.actions or ())


def _denied_by(statement: Statement) -> set[str]:
    if statement.not_actions is not None:
        return set(actions.services()) - _touched(statement.not_actions)
    return _covered(statement.actions or ())


def _touched(patterns: Iterable[str]) -> set[str]:
    """The services of which some action is named."""
    found: set[str] = set()
    for pattern in patterns:
        prefix, colon, name = pattern.lower().partition(":")
        if not colon:
            found |= actions.services() if pattern == _EVERYTHING else set()
            continue
        found |= {service for service in _services_like(prefix) if _has_action(service, name)}
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
    if "*" not in prefix and "?" not in prefix:
        return [prefix] if actions.is_service(prefix) else []
    matches = read_pattern(prefix)
    return [service for service in actions.services() if matches(service)]


def _has_action(service: str, name: str) -> bool:
    if name == _EVERYTHING:
        return True
    known = actions.actions_of(service)
    return name in known or any(map(read_pattern(name), known))


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
