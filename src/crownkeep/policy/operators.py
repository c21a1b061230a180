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
from crownkeep.policy.document import Condition
from crownkeep.policy.patterns import ARN_SEGMENTS, Matcher, arn_segments, segments_matcher, wildcard_matcher
from crownkeep.policy.variables import (
    Lookup,
    Template,
    Wildcard,
    expand,
    expand_text,
    is_static,
    read_template,
    variable_keys,
)

Test = Callable[[Lookup], bool]
# Whether one value of the request matches any value of the policy; the lookup resolves the policy's variables.
AnyOf = Callable[[str, Lookup], bool]


class Qualifier(Enum):
    """How many of a multivalued key's values must match."""

    ALL = "ForAllValues:"
    ANY = "ForAnyValue:"


@dataclass(frozen=True, slots=True)
class ConditionOperator:
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
def read_operator(name: str) -> ConditionOperator | None:
    """Take an operator's name apart; None when AWS knows no such operator."""
    qualifier = next((one for one in Qualifier if name.startswith(one.value)), None)
    base = name[len(qualifier.value) :] if qualifier else name
    if_exists = base.endswith("IfExists")
    if if_exists:
        base = base.removesuffix("IfExists")
    if base not in _BASES or (if_exists and base == "Null"):
        return None
    positive, negated = _BASES[base]
    return ConditionOperator(qualifier, positive, negated, if_exists)


def is_operator(name: str) -> bool:
    """Whether AWS knows a condition operator of this name."""
    return read_operator(name) is not None


def compile_condition(condition: Condition, *, effect: str, variables: bool) -> Test:
    """Compile one condition into a predicate over the request's context; raises ValueError for an unknown operator.

    The effect of its statement matters for one thing: an ARN in the policy that is none fails safe, which means that it
    matches in a Deny and does not in an Allow (measured on AWS).
    """
    name, values = condition.operator, condition.values
    operator = read_operator(name)
    if operator is None:
        raise ValueError(f"unknown condition operator `{name}`; see is_operator")
    key = condition.key.lower()
    if operator.base == "Null":
        return _null_test(key, values)
    holds = _holds(operator, values, variables, denies=effect.lower() == "deny")
    if operator.qualifier is Qualifier.ALL:
        return _all_test(key, holds)
    if operator.qualifier is Qualifier.ANY:
        return _any_test(key, holds)
    # A missing key fails a positive operator and meets a negated one, as AWS's pages say; an empty list of values meets nothing.
    return _scalar_test(key, holds, absent=operator.if_exists or (operator.negated and holds is not _never))


def _holds(operator: ConditionOperator, values: tuple[str, ...], variables: bool, *, denies: bool) -> AnyOf:
    """Whether one value of the request satisfies the operator, negation included."""
    if not values:  # an empty list matches no value, not even negated (Access Analyzer: EMPTY_ARRAY_CONDITION)
        return _never
    if operator.base == "ArnLike":
        return _arn_holds(values, variables, negated=operator.negated, malformed=denies)
    if operator.negated and not denies and not _are_readable(operator.base, values):
        return _never
    any_of = _any_of(operator.base, values, variables)
    return _negation(operator.base, any_of) if operator.negated else any_of


def _are_readable(base: str, values: tuple[str, ...]) -> bool:
    """Whether each of a policy's values is what its operator compares: what is none differs from everything.

    So `NotIpAddress` with a mistyped range would let everybody in. It fails safe instead, as an ARN that is none does on AWS.
    """
    for family, read in _READERS.items():
        if base.startswith(family):
            return all(read(value) is not None for value in values)
    return True


_READERS: dict[str, Callable[[str], object | None]] = {
    "Numeric": scalars.read_number,
    "Date": scalars.read_date,
    "IpAddress": scalars.read_network,
}


def _never(value: str, lookup: Lookup) -> bool:
    return False


def condition_keys(condition: Condition, *, variables: bool) -> tuple[str, ...]:
    """The context keys a condition asks for, as the policy spells them: its own, and those of its variables."""
    operator = read_operator(condition.operator)
    if operator is None or not variables or operator.base not in _EXPANDING:
        return (condition.key,)
    templates = (read_template(value, variables=True, wildcards=False) for value in condition.values)
    return (condition.key, *(key for template in templates for key in variable_keys(template)))


def _null_test(key: str, values: tuple[str, ...]) -> Test:
    wanted = {value.lower() for value in values}
    when_absent, when_present = "true" in wanted, "false" in wanted
    # Both "true" and "false" in one list make it always true.
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
        # ForAllValues is true of no values at all: AWS warns of that, and Allow statements need a Null test beside it.
        if value is None:
            return True
        if isinstance(value, str):
            return holds(value, lookup)
        return all(holds(one, lookup) for one in value)

    return test


def _any_test(key: str, holds: AnyOf) -> Test:
    # No value, no match: IfExists and negation change nothing about it (measured on AWS).
    def test(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return False
        if isinstance(value, str):
            return holds(value, lookup)
        return any(holds(one, lookup) for one in value)

    return test


def _negation(base: str, any_of: AnyOf) -> AnyOf:
    # A request value that is no address matches neither way; a number or date that is none differs from all.
    if base == "IpAddress":
        return lambda value, lookup: scalars.read_address(value) is not None and not any_of(value, lookup)
    return lambda value, lookup: not any_of(value, lookup)


_EXPANDING = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike"})


def _any_of(base: str, values: tuple[str, ...], variables: bool) -> AnyOf:
    match base:
        case "StringEquals":
            return _equal_any(values, variables)
        case "StringEqualsIgnoreCase":
            return _equal_any_ignoring_case(values, variables)
        case "StringLike":
            return _like_any(values, variables)
        case "IpAddress":
            return _inside_any(values)
        case "Bool":
            wanted = {value.lower() == "true" for value in values}
            # Anything but `true` is false, on both sides.
            return lambda value, lookup: (value.lower() == "true") in wanted
        case "BinaryEquals":
            known = {scalars.read_binary(value) for value in values} - {None}
            return lambda value, lookup: scalars.read_binary(value) in known
    if base.startswith("Numeric"):
        return _compare_any(base.removeprefix("Numeric"), values, scalars.read_number)
    return _compare_any(base.removeprefix("Date"), values, scalars.read_date)


def _compare_any(comparison: str, values: tuple[str, ...], read: Callable[[str], Any]) -> AnyOf:
    holds = _COMPARISONS[comparison]
    # Values that are no numbers are dropped: nothing compares with them.
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
    # A text that is longer than the value can't equal it, so it is never built.
    return lambda value, lookup: value in known or any(value == expand_text(one, lookup, longest=len(value)) for one in dynamic)


def _equal_any_ignoring_case(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=False)
    # Lower-casing, not case folding: AWS does not take "ß" for "ss".
    known = frozenset(_plain(template).lower() for template in static)

    def any_of(value: str, lookup: Lookup) -> bool:
        lowered = value.lower()
        if lowered in known:
            return True
        expanded = (expand_text(one, lookup, longest=len(lowered)) for one in dynamic)
        return any(text is not None and text.lower() == lowered for text in expanded)

    return any_of


def _like_any(values: tuple[str, ...], variables: bool) -> AnyOf:
    static, dynamic = _split_static(values, variables, wildcards=True)
    matchers = [wildcard_matcher(template) for template in static]
    return _match_any(matchers, [partial(expanded_matches, template) for template in dynamic])


def expanded_matches(template: Template, value: str, lookup: Lookup) -> bool:
    """Whether a value matches a wildcard template once the request's values are put in."""
    expanded = expand(template, lookup, longest=len(value))
    return expanded is not None and wildcard_matcher(expanded)(value)


def _match_any(matchers: list[Matcher], expanding: list[AnyOf]) -> AnyOf:
    if not expanding:
        return lambda value, lookup: any(matches(value) for matches in matchers)

    def any_of(value: str, lookup: Lookup) -> bool:
        return any(matches(value) for matches in matchers) or any(matches(value, lookup) for matches in expanding)

    return any_of


def _arn_holds(values: tuple[str, ...], variables: bool, *, negated: bool, malformed: bool) -> AnyOf:
    """ARNs, each of the six segments apart; `malformed` is the answer when the policy's own value is no ARN."""
    templates = [read_template(value, variables=variables, wildcards=True) for value in values]
    matchers = [_arn_value_matcher(template) for template in templates]

    def holds(value: str, lookup: Lookup) -> bool:
        if not is_arn(value):
            return False
        for matches in matchers:
            matched = matches(value, lookup)
            # The first malformed value decides, before those behind it are asked.
            if matched is None:
                return malformed
            if matched:
                return not negated
        return negated

    return holds


def is_arn(text: str) -> bool:
    """Whether a text has an ARN's six segments."""
    return text.startswith("arn:") and text.count(":") >= 5


def _arn_value_matcher(template: Template) -> Callable[[str, Lookup], bool | None]:
    if is_static(template):
        matches = _whole_arn_matcher(template)
        return lambda value, lookup: None if matches is None else matches(value)

    def expand_and_match(value: str, lookup: Lookup) -> bool | None:
        # Up to AWS's longest ARN: cut shorter, a text that is no ARN could not be told from one that only doesn't match.
        expanded = expand(template, lookup, longest=max(len(value), _LONGEST_ARN))
        if expanded is None:
            return False
        matches = _whole_arn_matcher(expanded)
        return None if matches is None else matches(value)

    return expand_and_match


_LONGEST_ARN = 2_048
"""A value that expands to more is no ARN of AWS's; up to here it is looked at to tell another ARN from what is none."""


def _whole_arn_matcher(template: Template) -> Matcher | None:
    """A predicate for an ARN that has all six segments, or for a bare star; None for anything else."""
    if template == (Wildcard.MANY,):
        return is_arn
    segments = arn_segments(template)
    return segments_matcher(segments) if len(segments) == ARN_SEGMENTS and segments[0] == ("arn",) else None
