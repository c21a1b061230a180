"""Lint of the values of conditions: what doesn't suit its operator, has no effect, or could be said in one."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from crownkeep.policy import scalars
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
    "BinaryEquals": ("STRING", scalars.read_binary),
    "IpAddress": ("IP_RANGE", scalars.read_network),
}
_WITH_VARIABLES = ("String", "Arn")
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)


def value_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on the values of conditions."""
    for statement in linted.document.statements:
        for condition in statement.conditions:
            operator = read_operator(condition.operator)
            if operator is not None:
                path = linted.path(statement, "Condition", condition.operator, condition.key)
                yield from _none(linted, condition, operator, path)
                yield from _types(linted, condition, operator, path)
                yield from _booleans(linted, condition, operator, path)
                yield from _numbers_and_dates(linted, condition, operator, path)
                yield from _addresses(linted, condition, operator, path)
                yield from _wildcards(linted, condition, operator, path)
    yield from _mixed_types(linted)


def _none(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if condition.values:
        return
    if operator.qualifier is Qualifier.ALL:
        code, effect = "EMPTY_ARRAY_CONDITION_FORALLVALUES", "matches only a request without the key: use Null instead"
    elif operator.qualifier is Qualifier.ANY:
        code, effect = "EMPTY_ARRAY_CONDITION_FORANYVALUE", "never matches"
    elif operator.if_exists:
        code, effect = "EMPTY_ARRAY_CONDITION_IFEXISTS", "matches only a request without the key: use Null instead"
    else:
        code, effect = "EMPTY_ARRAY_CONDITION", "never matches"
    details = f"No values are given for the condition key {condition.key}, so that the condition {effect}."
    yield linted.remark(Severity.SUGGESTION, code, details, path)


def _types(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    variables = [value for value in condition.values if "${" in value] if linted.document.expands_variables else []
    if variables and not operator.base.startswith(_WITH_VARIABLES):
        details = "Policy variables can only be used with String and ARN operators."
        yield linted.remark(Severity.ERROR, "INVALID_VARIABLE_FOR_OPERATOR", details, path)
    for family, (code, read) in _READERS.items():
        if operator.base.startswith(family):
            for value in condition.values:
                if value not in variables and read(value) is None:
                    details = f"The value {value} does not suit the condition operator {condition.operator}."
                    yield linted.remark(Severity.WARNING, f"TYPE_MISMATCH_{code}", details, path)
    if operator.base == "ArnLike":
        for value in condition.values:
            if value != "*" and not is_arn(value) and not value.startswith("${"):
                details = f"The value {value} is not an ARN; it makes a Deny match and an Allow not."
                yield linted.remark(Severity.ERROR, "TYPE_MISMATCH_ARN", details, path)


def _booleans(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if operator.base == "Null" and operator.qualifier is not None:
        outcome = "true" if operator.qualifier is Qualifier.ALL else "false"
        details = f"Null is always {outcome} with {operator.qualifier.value.rstrip(':')}. Use Null alone."
        yield linted.remark(Severity.SUGGESTION, "NULL_WITH_QUALIFIER", details, path)
    if operator.base in ("Bool", "Null"):
        if len(condition.values) > 1:
            details = f"{operator.base} takes one value; several are always or never true."
            yield linted.remark(Severity.ERROR, "INVALID_CONDITION_MULTIPLE_BOOLEAN", details, path)
        if any(value.lower() not in ("true", "false") and "${" not in value for value in condition.values):
            details = f"Add a boolean, true or false, for the condition operator {condition.operator}."
            yield linted.remark(Severity.WARNING, "TYPE_MISMATCH_BOOLEAN", details, path)


def _numbers_and_dates(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    compared = [value for value in condition.values if scalars.read_number(value) is not None]
    if operator.base.startswith(("NumericLess", "NumericGreater")) and len(compared) > 1:
        which = "greatest" if "Less" in operator.base else "least"
        details = f"Multiple values in {condition.operator} are redundant. Replace them with the {which} for {condition.key}."
        yield linted.remark(Severity.SUGGESTION, "REDUNDANT_CONDITION_VALUE_NUM", details, path)
    if operator.base.startswith("Date") and condition.key.lower() != "aws:epochtime":
        for value in compared:
            if not _YEAR.fullmatch(value):
                details = f"The date {value} is read as seconds since 1970. Write it as YYYY-MM-DD."
                yield linted.remark(Severity.WARNING, "INVALID_DATE_VALUE", details, path)


def _addresses(linted: Linted, condition: Condition, operator: ConditionOperator, path: Path) -> Iterator[Remark]:
    if operator.base != "IpAddress":
        return
    for value in condition.values:
        network, address = scalars.read_network(value), scalars.read_address(value.partition("/")[0])
        if network is not None and address is not None and network[1] != address[1]:
            better = f"{ipaddress.IPv4Address(network[1])}/{value.partition('/')[2]}"
            details = f"The non-zero bits of {value} after the masked bits are ignored. Replace it with {better}."
            yield linted.remark(Severity.SUGGESTION, "IMPROVE_IP_RANGE", details, path)
    if condition.key.lower() != "aws:sourceip":
        return
    networks = [scalars.read_network(value) for value in condition.values]
    private = [network for network in networks if network is not None and _is_private(network)]
    if private:
        only = len(private) == len(networks)
        code = f"PRIVATE_{'NOT_IP_ADDRESS' if operator.negated else 'IP_ADDRESS'}{'' if only else '_SUBSET'}"
        details = (
            "aws:SourceIp works for public addresses only: private ones never match. For private addresses, use aws:VpcSourceIp."
        )
        yield linted.remark(Severity.ERROR if only else Severity.SUGGESTION, code, details, path)


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


def _mixed_types(linted: Linted) -> Iterator[Remark]:
    """Lists of values of several JSON types; a parsed condition holds texts only, so the text is asked once more."""
    document = linted.document
    if not any(len(condition.values) > 1 for statement in document.statements for condition in statement.conditions):
        return
    # A number's type matters here, its size never: a huge one is not worth converting.
    tree = json.loads(document.text, parse_int=lambda text: 0, parse_float=lambda text: 0)
    statements: list[Any] = tree["Statement"] if document.statement_is_list else [tree["Statement"]]
    for statement in document.statements:
        yield from _mixed_in(linted, statement, statements[statement.index].get("Condition", {}))


def _mixed_in(linted: Linted, statement: Statement, block: dict[str, dict[str, Any]]) -> Iterator[Remark]:
    for operator, keys in block.items():
        for key, values in keys.items():
            if isinstance(values, list) and len({type(value) for value in values}) > 1:
                details = "The condition value data types do not match. Use condition values of the same JSON data type."
                path = linted.path(statement, "Condition", operator, key)
                yield linted.remark(Severity.ERROR, "INVALID_CONDITION_DATA_TYPE", details, path)
