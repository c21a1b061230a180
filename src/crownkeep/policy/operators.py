"""Condition operators: each line of a Condition block compiled once into a question to the request's context.

Semantics are those of the IAM user guide's pages "Condition operators" and "Multivalued context keys".
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Any

from crownkeep.policy import scalars
from crownkeep.policy.patterns import Matcher, arn_matcher, arn_segments, wildcard_matcher
from crownkeep.policy.variables import Lookup, Template, expand, expand_text, is_static, read_template, variable_keys

Test = Callable[[Lookup], bool]
# Whether one value of the request matches any value of the policy; the lookup resolves the policy's variables.
AnyOf = Callable[[str, Lookup], bool]


class Qualifier(Enum):
    """How many of a multivalued key's values must match."""

    ALL = "ForAllValues:"
    ANY = "ForAnyValue:"


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator taken apart: `ForAnyValue:StringNotLikeIfExists` is (ANY, "StringLike", negated, if exists)."""

    qualifier: Qualifier | None
    base: str
    negated: bool
    if_exists: bool


# name -> (the operator it is the negation of, or itself; negated)
_BASES: dict[str, tuple[str, bool]] = {
    "StringEquals": ("StringEquals", False),
    "StringNotEquals": ("StringEquals", True),
    "StringEqualsIgnoreCase": ("StringEqualsIgnoreCase", False),
    "StringNotEqualsIgnoreCase": ("StringEqualsIgnoreCase", True),
    "StringLike": ("StringLike", False),
    "StringNotLike": ("StringLike", True),
    "NumericEquals": ("NumericEquals", False),
    "NumericNotEquals": ("NumericEquals", True),
    "NumericLessThan": ("NumericLessThan", False),
    "NumericLessThanEquals": ("NumericLessThanEquals", False),
    "NumericGreaterThan": ("NumericGreaterThan", False),
    "NumericGreaterThanEquals": ("NumericGreaterThanEquals", False),
    "DateEquals": ("DateEquals", False),
    "DateNotEquals": ("DateEquals", True),
    "DateLessThan": ("DateLessThan", False),
    "DateLessThanEquals": ("DateLessThanEquals", False),
    "DateGreaterThan": ("DateGreaterThan", False),
    "DateGreaterThanEquals": ("DateGreaterThanEquals", False),
    "Bool": ("Bool", False),
    "BinaryEquals": ("BinaryEquals", False),
    "IpAddress": ("IpAddress", False),
    "NotIpAddress": ("IpAddress", True),
    "ArnEquals": ("ArnLike", False),
    "ArnLike": ("ArnLike", False),
    "ArnNotEquals": ("ArnLike", True),
    "ArnNotLike": ("ArnLike", True),
    "Null": ("Null", False),
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}


@lru_cache(maxsize=1024)
def read_operator(name: str) -> Operator | None:
    """Take an operator's name apart; None when AWS knows no such operator."""
    qualifier = next((one for one in Qualifier if name.startswith(one.value)), None)
    base = name[len(qualifier.value) :] if qualifier else name
    if_exists = base.endswith("IfExists")
    if if_exists:
        base = base.removesuffix("IfExists")
    if base not in _BASES or (if_exists and base == "Null"):
        return None
    positive, negated = _BASES[base]
    return Operator(qualifier, positive, negated, if_exists)


def is_operator(name: str) -> bool:
    """Whether AWS knows a condition operator of this name."""
    return read_operator(name) is not None


def compile_condition(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> Test:
    """Compile one condition into a predicate over the request's context; raises ValueError for an unknown operator."""
    operator = read_operator(name)
    if operator is None:
        raise ValueError(f"unknown condition operator `{name}`; see is_operator")
    key = key.lower()
    if operator.base == "Null":
        return _null_test(key, values)
    any_of = _any_of(operator.base, values, variables)
    holds = _negation(operator.base, any_of) if operator.negated else any_of
    if operator.qualifier is None:
        return _scalar_test(key, holds, absent=operator.if_exists or operator.negated)
    if operator.qualifier is Qualifier.ALL:
        return _all_test(key, holds)
    return _any_test(key, holds, absent=operator.if_exists)


def condition_keys(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> tuple[str, ...]:
    """The context keys a condition asks for, in lower case: its own, and those of its variables."""
    operator = read_operator(name)
    if operator is None or not variables or operator.base not in _EXPANDING:
        return (key.lower(),)
    templates = (read_template(value, variables=True, wildcards=False) for value in values)
    return (key.lower(), *(asked for template in templates for asked in variable_keys(template)))


def _null_test(key: str, values: tuple[str, ...]) -> Test:
    wanted = {value.lower() for value in values}
    when_absent, when_present = "true" in wanted, "false" in wanted
    return lambda lookup: when_absent if lookup(key) is None else when_present


def _scalar_test(key: str, holds: AnyOf, *, absent: bool) -> Test:
    def test(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return absent
        # Without a set qualifier a multivalued key matches nothing, not even negated (measured on AWS).
        return isinstance(value, str) and holds(value, lookup)

    return test


def _all_test(key: str, holds: AnyOf) -> Test:
    def test(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return True
        if isinstance(value, str):
            return holds(value, lookup)
        return all(holds(one, lookup) for one in value)

    return test


def _any_test(key: str, holds: AnyOf, *, absent: bool) -> Test:
    def test(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return absent
        if isinstance(value, str):
            return holds(value, lookup)
        return any(holds(one, lookup) for one in value)

    return test


def _negation(base: str, any_of: AnyOf) -> AnyOf:
    is_comparable = _COMPARABLE.get(base)
    if is_comparable is None:
        return lambda value, lookup: not any_of(value, lookup)
    return lambda value, lookup: is_comparable(value) and not any_of(value, lookup)


def _is_arn(value: str) -> bool:
    return value.startswith("arn:") and value.count(":") >= 5


def _is_address(value: str) -> bool:
    return scalars.read_address(value) is not None


# A request value that is no address or ARN at all matches neither way; a number or date that is none differs from all.
_COMPARABLE: dict[str, Matcher] = {"IpAddress": _is_address, "ArnLike": _is_arn}

_EXPANDING = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike"})


def _any_of(base: str, values: tuple[str, ...], variables: bool) -> AnyOf:
    match base:
        case "StringEquals":
            return _equal_any(values, variables)
        case "StringEqualsIgnoreCase":
            return _equal_any_ignoring_case(values, variables)
        case "StringLike":
            return _like_any(values, variables)
        case "ArnLike":
            return _arn_like_any(values, variables)
        case "IpAddress":
            return _inside_any(values)
        case "Bool":
            wanted = {value.lower() == "true" for value in values}
            return lambda value, lookup: (value.lower() == "true") in wanted
        case "BinaryEquals":
            known = {scalars.read_binary(value) for value in values} - {None}
            return lambda value, lookup: scalars.read_binary(value) in known
    if base.startswith("Numeric"):
        return _compare_any(base.removeprefix("Numeric"), values, scalars.read_number)
    return _compare_any(base.removeprefix("Date"), values, scalars.read_date)


def _compare_any(comparison: str, values: tuple[str, ...], read: Callable[[str], Any]) -> AnyOf:
    holds = _COMPARISONS[comparison]
    bounds = [bound for bound in map(read, values) if bound is not None]

    def any_of(value: str, lookup: Lookup) -> bool:
        number = read(value)
        return number is not None and any(holds(number, bound) for bound in bounds)

    return any_of


def _inside_any(values: tuple[str, ...]) -> AnyOf:
    networks = [network for network in map(scalars.read_network, values) if network is not None]

    def any_of(value: str, lookup: Lookup) -> bool:
        address = scalars.read_address(value)
        return address is not None and any(scalars.is_inside(address, network) for network in networks)

    return any_of


def _split_static(values: Iterable[str], variables: bool, wildcards: bool) -> tuple[list[Template], list[Template]]:
    static: list[Template] = []
    dynamic: list[Template] = []
    for value in values:
        template = read_template(value, variables=variables, wildcards=wildcards)
        (static if is_static(template) else dynamic).append(template)
    return static, dynamic


def _plain(template: Template) -> str:
    return "".join(piece for piece in template if isinstance(piece, str))


def _equal_any(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=False)
    known = frozenset(map(_plain, static))
    if not dynamic:
        return lambda value, lookup: value in known
    return lambda value, lookup: value in known or any(value == expand_text(one, lookup) for one in dynamic)


def _equal_any_ignoring_case(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=False)
    # Lower-casing, not case folding: AWS does not take "ß" for "ss".
    known = frozenset(_plain(template).lower() for template in static)

    def any_of(value: str, lookup: Lookup) -> bool:
        lowered = value.lower()
        if lowered in known:
            return True
        expanded = (expand_text(one, lookup) for one in dynamic)
        return any(text is not None and text.lower() == lowered for text in expanded)

    return any_of


def _like_any(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=True)
    matchers = [wildcard_matcher(template) for template in static]
    return _match_any(matchers, [partial(expanded_matches, template) for template in dynamic])


def expanded_matches(template: Template, value: str, lookup: Lookup) -> bool:
    """Whether a value matches a wildcard template once the request's values are put in."""
    expanded = expand(template, lookup)
    return expanded is not None and wildcard_matcher(expanded)(value)


def _arn_like_any(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=True)
    matchers = [_condition_arn_matcher(template) for template in static]
    return _match_any(matchers, [partial(expanded_arn_matches, template) for template in dynamic])


def _match_any(matchers: list[Matcher], expanding: list[AnyOf]) -> AnyOf:
    if not expanding:
        return lambda value, lookup: any(matches(value) for matches in matchers)

    def any_of(value: str, lookup: Lookup) -> bool:
        return any(matches(value) for matches in matchers) or any(matches(value, lookup) for matches in expanding)

    return any_of


def _condition_arn_matcher(template: Template) -> Matcher:
    matches = arn_matcher(template)
    if matches is None:
        return _never
    return lambda value: _is_arn(value) and matches(value)


def _never(value: str) -> bool:
    return False


def expanded_arn_matches(template: Template, value: str, lookup: Lookup) -> bool:
    """Whether an ARN matches an ARN template, each of the six segments apart, once the request's values are put in."""
    segments = arn_segments(template)
    if segments is None or not _is_arn(value):
        return False
    return all(expanded_matches(segment, part, lookup) for segment, part in zip(segments, value.split(":", 5), strict=True))
