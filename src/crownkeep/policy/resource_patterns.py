"""Resource elements compiled: patterns that know what every match begins with, so that an index can find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from crownkeep.policy.document import Statement
from crownkeep.policy.patterns import (
    ARN_SEGMENTS,
    Matcher,
    arn_segments,
    literal_prefix,
    padded,
    segments_matcher,
    wildcard_matcher,
)
from crownkeep.policy.variables import Lookup, Template, Wildcard, expand, is_static, read_template

ResourceMatcher = Callable[[str, Lookup], bool]
Between = Callable[[], None]
"""What is done between two steps of a compilation."""


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """One entry of a Resource element: what every match begins with, whether that is all of it, and what is left to ask."""

    prefix: str
    is_exact: bool
    matcher: ResourceMatcher | None


_EVERYTHING = ResourcePattern("", is_exact=False, matcher=None)


def at_once() -> None:
    """Go on without giving way to anybody."""


def compile_resources(statement: Statement, *, variables: bool, between: Between = at_once) -> tuple[ResourcePattern, ...]:
    """Compile a statement's Resource or NotResource element; of a statement without either it is everything."""
    if statement.resources is not None:
        return _patterns(statement.resources, variables, between)
    if statement.not_resources is not None:
        excluded = _patterns(statement.not_resources, variables, between)
        return (ResourcePattern("", is_exact=False, matcher=partial(_matches_none, excluded)),)
    return (_EVERYTHING,)  # a trust policy has no resource: it is attached to it


def _patterns(texts: Iterable[str], variables: bool, between: Between) -> tuple[ResourcePattern, ...]:
    found: list[ResourcePattern] = []
    for text in texts:
        found.append(_resource_pattern(text, variables))
        between()
    return tuple(found)


def resource_matches(pattern: ResourcePattern, resource: str, lookup: Lookup) -> bool:
    """Whether one entry of a Resource element matches a resource."""
    if pattern.is_exact:
        return resource == pattern.prefix
    if not resource.startswith(pattern.prefix):
        return False
    return pattern.matcher is None or pattern.matcher(resource, lookup)


def _matches_none(excluded: tuple[ResourcePattern, ...], resource: str, lookup: Lookup) -> bool:
    return not any(resource_matches(pattern, resource, lookup) for pattern in excluded)


def _resource_pattern(text: str, variables: bool) -> ResourcePattern:
    if text == "*":
        return _EVERYTHING
    template = read_template(text, variables=variables, wildcards=True)
    prefix = literal_prefix(template)
    # What is literal before the first variable still serves as the index's prefix.
    if not is_static(template):
        return ResourcePattern(prefix, is_exact=False, matcher=_expanding_matcher(template))
    segments = arn_segments(template)
    # `*foo` or `arn:*` are no ARNs that could be padded; they match as plain wildcards.
    if len(segments) < 3:
        return ResourcePattern(prefix, is_exact=False, matcher=_ignoring_context(wildcard_matcher(template)))
    # All of the first five segments are literal, so a comparison of the whole or of the beginning is exact.
    if prefix.count(":") >= 5:
        if template == (prefix,):
            return ResourcePattern(prefix, is_exact=True, matcher=None)
        if template == (prefix, Wildcard.MANY):
            return ResourcePattern(prefix, is_exact=False, matcher=None)
    return ResourcePattern(prefix, is_exact=False, matcher=_ignoring_context(segments_matcher(padded(segments))))


def _ignoring_context(matches: Matcher) -> ResourceMatcher:
    return lambda resource, lookup: matches(resource)


def _expanding_matcher(template: Template) -> ResourceMatcher:
    """A matcher for a resource with variables; what a principal's values expand to is compiled once and remembered."""
    remembered: dict[Template, Matcher] = {}

    def matches(resource: str, lookup: Lookup) -> bool:
        expanded = expand(template, lookup, longest=len(resource))
        if expanded is None:
            return False
        matcher = remembered.get(expanded)
        if matcher is None:
            # A role's sessions share few values; whoever varies them loses what is remembered, and no more.
            if len(remembered) >= 64:
                remembered.clear()
            matcher = remembered[expanded] = _expanded_matcher(expanded)
        return matcher(resource)

    return matches


def _expanded_matcher(expanded: Template) -> Matcher:
    segments = arn_segments(expanded)
    # Short ARNs are padded as written only, never after expansion (measured on AWS).
    return segments_matcher(segments) if len(segments) == ARN_SEGMENTS else wildcard_matcher(expanded)
