"""Simulations as a form asks for them: whose policies, or which, what is to be done to what, and in which circumstances."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import ValueType
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import Form

TYPES = ("string", "stringList", "boolean", "numeric", "numericList", "date", "ip", "ipList", "binary")
MOST_KEYS = 50
_LIST = "List"
_SEPARATORS = re.compile(r"[\s,]+")
_GLOBAL_TYPES = {
    "aws:multifactorauthpresent": "boolean",
    "aws:multifactorauthage": "numeric",
    "aws:securetransport": "boolean",
    "aws:sourceip": "ip",
    "aws:vpcsourceip": "ip",
    "aws:currenttime": "date",
    "aws:tokenissuetime": "date",
    "aws:tagkeys": "stringList",
    "aws:calledvia": "stringList",
    "aws:principalorgpaths": "stringList",
}
"""Of the keys that every service knows, those that are no plain texts (IAM user guide, "Global condition context keys")."""
_OF_VALUES = {
    ValueType.BOOL: "boolean",
    ValueType.NUMERIC: "numeric",
    ValueType.DATE: "date",
    ValueType.IP_ADDRESS: "ip",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One context key, its type and its value; several values of a list stand between commas."""

    key: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class SimulationQuestion:
    """What is asked of the simulator."""

    principal: str
    """An ARN, or as short as `user/bob`; empty where policies alone are asked about."""
    policies: str
    """Documents, one after the other."""
    boundary: str
    actions: str
    resources: str
    context: tuple[Entry, ...]

    @property
    def names(self) -> list[str]:
        """The actions."""
        return _split(self.actions)

    @property
    def documents(self) -> list[str]:
        """The policies, one by one."""
        return _documents(self.policies)


def read(form: Form) -> SimulationQuestion:
    """Read the form."""
    # Not strict: a form that somebody made up has what it has, and the shortest of the three ends it.
    rows = zip(form.all("key"), form.all("type"), form.all("value"), strict=False)
    entries = (Entry(key.strip(), kind if kind in TYPES else "string", value.strip()) for key, kind, value in rows)
    return SimulationQuestion(
        principal=form.one("principal").strip(),
        policies=form.one("policies").replace("\r\n", "\n"),
        boundary=form.one("boundary").replace("\r\n", "\n"),
        actions=form.one("actions"),
        resources=form.one("resources"),
        context=tuple(entry for entry in entries if entry.key)[:MOST_KEYS],
    )


def with_keys(question: SimulationQuestion, keys: Sequence[str]) -> SimulationQuestion:
    """Return the question with a place for each of these context keys, in the types that they have."""
    there = {entry.key.lower() for entry in question.context}
    new = [Entry(key, type_of(key), "") for key in keys if key.lower() not in there]
    return replace(question, context=(*question.context, *new)[:MOST_KEYS])


def type_of(key: str) -> str:
    """Return the type of a context key's values, as the simulator names it."""
    if key.lower() in _GLOBAL_TYPES:
        return _GLOBAL_TYPES[key.lower()]
    known = actions.condition_key(key)
    if known is None:
        return "string"
    kind = _OF_VALUES.get(known.value_type, "string")
    return f"{kind}{_LIST}" if known.is_multivalued and f"{kind}{_LIST}" in TYPES else kind


def simulation(question: SimulationQuestion, arn: str) -> Equivalent:
    """Return the call that simulates: of an identity by its ARN, or of the policies alone where there is none."""
    asked: dict[str, object] = {"ActionNames": question.names}
    if resources := _split(question.resources):
        asked["ResourceArns"] = resources
    if entries := _entries(question.context):
        asked["ContextEntries"] = entries
    if question.boundary.strip():
        asked["PermissionsBoundaryPolicyInputList"] = [question.boundary]
    if arn:
        given = {"PolicyInputList": question.documents} if question.documents else {}
        return Equivalent("iam", "SimulatePrincipalPolicy", {"PolicySourceArn": arn, **given, **asked})
    return Equivalent("iam", "SimulateCustomPolicy", {"PolicyInputList": question.documents, **asked})


def without_boundary(call: Equivalent) -> Equivalent:
    """Return the same simulation without any permissions boundary."""
    asked = {name: value for name, value in call.parameters.items() if name != "PermissionsBoundaryPolicyInputList"}
    if call.operation == "SimulatePrincipalPolicy":
        asked["PolicyExclusionList"] = [{"PolicyType": "permission-boundary"}]
    return Equivalent(call.service, call.operation, asked)


def context_keys(question: SimulationQuestion, arn: str) -> Equivalent | None:
    """Return the call that tells which context keys the policies mention; None where there are no policies."""
    documents = [*question.documents, *([question.boundary] if question.boundary.strip() else [])]
    if arn:
        given = {"PolicyInputList": documents} if documents else {}
        return Equivalent("iam", "GetContextKeysForPrincipalPolicy", {"PolicySourceArn": arn, **given})
    return Equivalent("iam", "GetContextKeysForCustomPolicy", {"PolicyInputList": documents}) if documents else None


def _entries(context: Sequence[Entry]) -> list[Mapping[str, object]]:
    return [
        {
            "ContextKeyName": entry.key,
            "ContextKeyType": entry.type,
            "ContextKeyValues": [each.strip() for each in entry.value.split(",")]
            if entry.type.endswith(_LIST)
            else [entry.value],
        }
        for entry in context
        if entry.value
    ]


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(each for each in _SEPARATORS.split(text) if each))


def _documents(text: str) -> list[str]:
    """Take documents apart that stand one after the other; what is no JSON stays whole, for IAM to say what is wrong with it."""
    found, rest = [], text.strip()
    while rest:
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except (ValueError, RecursionError):
            end = len(rest)
        found.append(rest[:end])
        rest = rest[end:].strip()
    return found
