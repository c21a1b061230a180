"""Lint of conditions: set operators, keys, their types and variables that cannot work as written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from crownkeep.policy.condition_keys import MULTIVALUED_KEYS
from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.operators import ConditionOperator, Qualifier, read_operator
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

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
_VPC_ADDRESS = "aws:vpcsourceip"
_VPCS = frozenset({"aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"})


def condition_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on Condition blocks and policy variables."""
    for statement in linted.document.statements:
        yield from _block(linted, statement)
        for condition in statement.conditions:
            path = linted.path(statement, "Condition", condition.operator, condition.key)
            operator = read_operator(condition.operator)
            if operator is not None:
                yield from _key(linted, condition, operator, path)
        yield from _variables(linted, statement)


def _block(linted: Linted, statement: Statement) -> Iterator[Remark]:
    path = linted.path(statement, "Condition")
    spans = linted.document.spans
    if path in spans and not statement.conditions:
        details = "The condition block is empty and does not affect anything. Remove it."
        yield linted.remark(Severity.SUGGESTION, "EMPTY_OBJECT_CONDITION", details, path)
    keys = {condition.key.lower() for condition in statement.conditions}
    if _VPC_ADDRESS in keys and keys.isdisjoint(_VPCS):
        details = "Using aws:VpcSourceIp without aws:SourceVpc is overly permissive: every VPC may have such addresses."
        yield linted.remark(Severity.SECURITY_WARNING, "MISSING_PAIRED_CONDITION_KEYS", details, path)
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
    if operator.qualifier is not None and key.endswith(":aud"):
        details = "If tokens hold one audience, use no qualifier; ForAllValues and ForAnyValue are for several."
        yield linted.remark(Severity.SUGGESTION, "CONFIRM_AUDIENCE_CLAIM_TYPE", details, path)
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
        yield linted.remark(Severity.ERROR, "MISSING_QUALIFIER", details, path)
    families = _FAMILIES.get((key_type or "").removeprefix("ArrayOf"))
    if families is not None and not operator.base.startswith(families):
        details = f"The condition key {condition.key} with type {key_type} does not take the operator {condition.operator}."
        yield linted.remark(Severity.WARNING, "TYPE_MISMATCH", details, path)


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
        yield linted.remark(Severity.ERROR, "VARIABLE_UNSUPPORTED_IN_VERSION", details, path)
        return
    for inner in re.findall(r"\$\{([^}]*)(?:\}|$)", text):
        if not inner.strip():
            yield linted.remark(Severity.ERROR, "EMPTY_VARIABLE", "Empty policy variable. Name a key.", path)
        elif "," in inner and not re.fullmatch(r"'.*'", inner.partition(",")[2].strip(), re.DOTALL):
            details = "The policy variable default value must begin and end with a single quote."
            yield linted.remark(Severity.ERROR, "MISSING_QUOTE_IN_VARIABLE", details, path)
        elif " " in inner.strip().split(",")[0]:
            details = f"A space is not supported in the policy variable {inner}."
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_SPACE_IN_VARIABLE", details, path)
    if text.count("${") > len(re.findall(r"\$\{[^{}]*\}", text)):
        details = "The policy variable is missing a closing curly brace. Add } after the variable text."
        yield linted.remark(Severity.ERROR, "MISSING_BRACE_IN_VARIABLE", details, path)
