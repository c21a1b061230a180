"""Lint of names that must exist: condition keys, Regions, and the kinds of principals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.keys import GLOBAL_KEYS, TAGGED_KEYS
from crownkeep.policy.linted import Linted
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

_GLOBAL = "aws:"
_INSTEAD = {"aws:arn": "aws:PrincipalArn or aws:SourceArn"}
"""Keys that AWS knows and supports nowhere, and what to use for them (policy check "Unsupported global condition key")."""
_REGION_KEY = "aws:requestedregion"
_EXACT = ("StringEquals", "StringNotEquals")
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def key_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on names that nobody knows."""
    for statement in linted.document.statements:
        for element, principals in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
            if principals is not None:
                yield from _kinds(linted, {kind for kind, _ in principals.named}, linted.path(statement, element))
        if linted.catalogue is not None:
            for condition in statement.conditions:
                path = linted.path(statement, "Condition", condition.operator, condition.key)
                yield from _key(linted, linted.catalogue, condition, path)
                yield from _regions(linted, linted.catalogue, condition, path)
            yield from _arn_regions(linted, linted.catalogue, statement)


def _kinds(linted: Linted, kinds: set[str], path: Path) -> Iterator[Remark]:
    for kind in sorted(kinds - _PRINCIPALS):
        details = f"The principal key {kind} is not valid. Use AWS, Service, Federated or CanonicalUser."
        yield linted.remark(Severity.ERROR, "INVALID_PRINCIPAL_KEY", details, (*path, kind))


def _key(linted: Linted, catalogue: ActionCatalogue, condition: Condition, path: Path) -> Iterator[Remark]:
    key = condition.key.lower()
    prefix, colon, _ = key.partition(":")
    # The keys of identity providers are named by the providers' hosts.
    if not colon or "." in prefix or "/" in prefix:
        return
    if key in _INSTEAD:
        details = f"The condition key {condition.key} is not supported. Use {_INSTEAD[key]} instead."
        yield linted.remark(Severity.ERROR, "UNSUPPORTED_GLOBAL_CONDITION_KEY", details, path)
    elif catalogue.key_type(condition.key) is not None or key in GLOBAL_KEYS or key.startswith(TAGGED_KEYS):
        return
    elif key.startswith(_GLOBAL):
        details = f"The condition key {condition.key} does not exist. Use a valid condition key."
        yield linted.remark(Severity.ERROR, "INVALID_GLOBAL_CONDITION_KEY", details, path)
    else:
        details = f"The condition key {condition.key} does not exist in the service {prefix}. Use a valid condition key."
        yield linted.remark(Severity.ERROR, "INVALID_SERVICE_CONDITION_KEY", details, path)


def _regions(linted: Linted, catalogue: ActionCatalogue, condition: Condition, path: Path) -> Iterator[Remark]:
    if condition.key.lower() != _REGION_KEY or not condition.operator.removesuffix("IfExists").endswith(_EXACT):
        return
    for value in condition.values:
        if "${" not in value and not catalogue.has_region(value):
            details = f"The Region {value} is not valid. Update the condition value to a supported Region."
            yield linted.remark(Severity.ERROR, "INVALID_REGION", details, path)


def _arn_regions(linted: Linted, catalogue: ActionCatalogue, statement: Statement) -> Iterator[Remark]:
    for resource, path in linted.resources(statement):
        parts = resource.split(":", 5)
        # Another partition has Regions of its own.
        if len(parts) == 6 and parts[1] == "aws" and re.fullmatch(r"[a-z0-9-]+", parts[3]) and not catalogue.has_region(parts[3]):
            details = f"The Region {parts[3]} is not valid for this resource. Update the resource ARN to a supported Region."
            yield linted.remark(Severity.ERROR, "INVALID_ARN_REGION", details, path)
