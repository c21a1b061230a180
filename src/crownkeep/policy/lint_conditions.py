"""Lint of conditions: types, ranges, set operators, keys and variables that cannot work as written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from crownkeep.policy import scalars
from crownkeep.policy.condition_keys import MULTIVALUED_KEYS
from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.operators import ConditionOperator, Qualifier, is_arn, read_operator
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

_PRIVATE = tuple(
    network
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16")
    if (network := scalars.read_network(text)) is not None
)
_READERS: dict[str, tuple[str, Callable[[str], object | None]]] = {
    "Numeric": ("NUMBER", scalars.read_number),
    "Date": ("DATE", scalars.read_date),
    "BinaryEquals": ("BINARY", scalars.read_binary),
    "IpAddress": ("IP_RANGE", scalars.read_network),
}
# The family of operators that each type of key takes; types are those of AWS's service reference.
_FAMILIES = {
    "String": ("String",),
    "ARN": ("Arn", "String"),
    "Bool": ("Bool", "String"),
    "Numeric": ("Numeric",),
    "Long": ("Numeric",),
    "Date": ("Date",),
    "IPAddress": ("IpAddress",),
    "Binary": ("BinaryEquals",),
}
_SINGLE_VALUED_SERVICE = "aws:"


def condition_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on Condition blocks and policy variables."""
    for statement in linted.document.statements:
        yield from _block(linted, statement)
        for condition in statement.conditions:
            path = linted.path(statement, "Condition", condition.operator, condition.key)
            operator = read_operator(condition.operator)
            if operator is not None:
                yield from _key(linted, condition, operator, path)
                yield from _values(linted, condition, operator, path)
        yield from _variables(linted, statement)


def _block(linted: Linted, statement: Statement) -> Iterator[Remark]:
    path = linted.path(statement, "Condition")
    spans = linted.document.spans
    if path in spans and not statement.conditions:
        details = "The condition block is empty and does not affect anything. Remove it."
        yield linted.remark(Severity.SUGGESTION, "EMPTY_OBJECT_CONDITION", details, path)
    names = Counter((condition.operator, condition.key.lower()) for condition in statement.conditions)
    for (operator, key), count in names.items():
        if count > 1:
            details = f"The condition key {key} appears more than once with different case."
            yield linted.remark(Severity.ERROR, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE", details, (*path, operator))


def _key(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    key = condition.key.lower()
    if ":" not in key:
        details = f"The condition key {condition.key} has no service prefix. Write it as service:key."
        yield linted.remark(Severity.ERROR, "INVALID_CONDITION_KEY_FORMAT", details, path)
        return
    if operator.base == "Null":
        return
    key_type = linted.catalogue.key_type(condition.key) if linted.catalogue is not None else None
    is_many = key in MULTIVALUED_KEYS or (key_type or "").startswith("ArrayOf")
    is_one = not is_many and (key_type is not None or key.startswith(_SINGLE_VALUED_SERVICE))
    if is_one and operator.qualifier is not None:
        name = "FORALLVALUES" if operator.qualifier is Qualifier.ALL else "FORANYVALUE"
        severity = Severity.SECURITY_WARNING if operator.qualifier is Qualifier.ALL else Severity.WARNING
        details = f"Do not use {operator.qualifier.value.rstrip(':')} with the single-valued condition key {condition.key}."
        yield linted.remark(severity, f"{name}_WITH_SINGLE_VALUED_KEY", details, path)
    if is_many and operator.qualifier is None:
        details = f"The multivalued condition key {condition.key} needs ForAnyValue or ForAllValues, or it never matches."
        yield linted.remark(Severity.ERROR, "MULTIVALUED_KEY_WITHOUT_SET_OPERATOR", details, path)
    families = _FAMILIES.get((key_type or "").removeprefix("ArrayOf"))
    if families is not None and not operator.base.startswith(families):
        details = f"The condition key {condition.key} with type {key_type} does not take the operator {condition.operator}."
        yield linted.remark(Severity.ERROR, "TYPE_MISMATCH_OPERATOR_WITH_KEY", details, path)


def _values(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if not condition.values:
        code, severity = "EMPTY_ARRAY_CONDITION", Severity.WARNING
        yield linted.remark(severity, code, "No values are given, so nothing can match them.", path)
    if operator.base in ("Bool", "Null"):
        if len(condition.values) > 1:
            details = f"{operator.base} takes one value; several are always or never true."
            yield linted.remark(Severity.ERROR, "INVALID_CONDITION_MULTIPLE_BOOLEAN", details, path)
        if any(value.lower() not in ("true", "false") for value in condition.values):
            details = f"Add a boolean, true or false, for the condition operator {condition.operator}."
            yield linted.remark(Severity.ERROR, "TYPE_MISMATCH_BOOLEAN", details, path)
    for family, (code, read) in _READERS.items():
        if operator.base.startswith(family):
            for value in condition.values:
                if read(value) is None:
                    details = f"The value {value} does not suit the condition operator {condition.operator}."
                    yield linted.remark(Severity.ERROR, f"TYPE_MISMATCH_{code}", details, path)
    if operator.base == "ArnLike":
        for value in condition.values:
            if value != "*" and not is_arn(value) and not value.startswith("${"):
                details = f"The value {value} is not an ARN; it makes a Deny match and an Allow not."
                yield linted.remark(Severity.ERROR, "TYPE_MISMATCH_ARN", details, path)
    yield from _private_addresses(linted, condition, operator, path)
    yield from _wildcards(linted, condition, operator, path)


def _private_addresses(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if operator.base != "IpAddress" or condition.key.lower() != "aws:sourceip":
        return
    networks = [scalars.read_network(value) for value in condition.values]
    private = [network for network in networks if network is not None and _is_private(network)]
    if private and len(private) == len(networks):
        if operator.negated:
            details = "aws:SourceIp with NotIpAddress and private addresses only has no effect: use public addresses."
            yield linted.remark(Severity.WARNING, "PRIVATE_NOT_IP_ADDRESS", details, path)
        else:
            details = "aws:SourceIp works for public addresses only; private ones never match."
            yield linted.remark(Severity.WARNING, "PRIVATE_IP_ADDRESS", details, path)


def _is_private(network: scalars.Network) -> bool:
    version, number, mask = network
    return any(
        version == private[0] and mask >= private[2] and scalars.is_inside((version, number), private) for private in _PRIVATE
    )


def _wildcards(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if operator.base in ("StringEquals", "StringEqualsIgnoreCase"):
        for value in condition.values:
            if re.search(r"(?<!\$\{)[*?]", value):
                name = condition.operator.replace("Equals", "Like").replace("IgnoreCase", "")
                details = f"The value {value} holds a wildcard, which {condition.operator} takes literally. Use {name}."
                yield linted.remark(Severity.WARNING, "WILDCARD_WITHOUT_LIKE_OPERATOR", details, path)


def _variables(linted: Linted, statement: Statement) -> Iterator[Remark]:
    places = [*linted.resources(statement)]
    places += [
        (value, linted.path(statement, "Condition", condition.operator, condition.key))
        for condition in statement.conditions
        for value in condition.values
    ]
    for text, path in places:
        yield from _variable(linted, text, path)
    for action, path in linted.actions(statement):
        if "${" in action:
            details = "Actions do not support policy variables."
            yield linted.remark(Severity.ERROR, "VARIABLE_UNSUPPORTED_IN_ELEMENT", details, path)


def _variable(linted: Linted, text: str, path: Path) -> Iterator[Remark]:
    if "${" not in text:
        return
    if not linted.document.expands_variables:
        details = "Policy variables work in version 2012-10-17 only; here they are plain text."
        yield linted.remark(Severity.WARNING, "POLICY_VARIABLE_NOT_SUPPORTED", details, path)
        return
    for inner in re.findall(r"\$\{([^}]*)(?:\}|$)", text):
        if not inner.strip():
            yield linted.remark(Severity.ERROR, "EMPTY_VARIABLE", "Empty policy variable. Name a key.", path)
        elif " " in inner.strip().split(",")[0]:
            details = f"A space is not supported in the policy variable {inner}."
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_SPACE_IN_VARIABLE", details, path)
    if text.count("${") > len(re.findall(r"\$\{[^{}]*\}", text)):
        details = "The policy variable is missing a closing curly brace. Add } after the variable text."
        yield linted.remark(Severity.ERROR, "MISSING_BRACE_IN_VARIABLE", details, path)
