"""Lint of names that must exist or have a form: condition keys, Regions, services, kinds of principals, ids of networks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from crownkeep.policy.condition_keys import GLOBAL_KEYS, TAGGED_KEYS
from crownkeep.policy.document import Condition, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

_GLOBAL = "aws:"
_INSTEAD = {"aws:arn": "aws:PrincipalArn or aws:SourceArn"}
"""Keys that AWS knows and supports nowhere, and what to use for them (policy check "Unsupported global condition key")."""
_REGION_KEY = "aws:requestedregion"
_EXACT = ("StringEquals", "StringNotEquals")
_SERVICE_KEYS = frozenset({"aws:principalservicename", "iam:passedtoservice", "iam:awsservicename"})
_NETWORKS = {
    "aws:sourcevpc": ("INVALID_VPC_FORMAT", "VPC", "vpc-"),
    "aws:sourcevpce": ("INVALID_VPCE_FORMAT", "VPCE", "vpce-"),
}
"""The keys whose values are ids of networks and of their endpoints: code, name and prefix (policy check "Invalid VPC format")."""
_HEX = re.compile(r"(?:[0-9a-z]{8}|[0-9a-z]{17})", re.ASCII)
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def key_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on names that nobody knows."""
    for statement in linted.document.statements:
        for element, principals in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
            if principals is not None:
                path = linted.path(statement, element)
                yield from _kinds(linted, {kind for kind, _ in principals.named}, path)
                yield from _services(linted, [name for kind, name in principals.named if kind == "Service"], (*path, "Service"))
        for condition in statement.conditions:
            yield from _formats(linted, condition, linted.path(statement, "Condition", condition.operator, condition.key))
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


def _services(linted: Linted, names: Sequence[str], path: Path) -> Iterator[Remark]:
    for name in names:
        if linted.catalogue is not None and not _varies(name) and not linted.catalogue.has_service_principal(name):
            details = f"The service principal {name} does not match the expected format. Use the format service.amazonaws.com."
            yield linted.remark(Severity.ERROR, "INVALID_SERVICE_PRINCIPAL_FORMAT", details, path)


def _formats(linted: Linted, condition: Condition, path: Path) -> Iterator[Remark]:
    key = condition.key.lower()
    if key.removesuffix("/") + "/" in TAGGED_KEYS:
        details = (
            f"The condition key {condition.key} must include a tag key to control access based on tags. "
            f"Use the format {condition.key.removesuffix('/')}/tag-key."
        )
        yield linted.remark(Severity.ERROR, "MISSING_TAG_KEY_IN_CONDITION", details, path)
    if not condition.operator.removesuffix("IfExists").endswith(_EXACT):
        return
    if key in _SERVICE_KEYS:
        yield from _services(linted, condition.values, path)
    if key in _NETWORKS:
        code, name, prefix = _NETWORKS[key]
        for value in condition.values:
            if not _varies(value) and not (value.startswith(prefix) and _HEX.fullmatch(value, len(prefix))):
                details = (
                    f"The {name} identifier in the condition key value is not valid. "
                    f"Use the prefix '{prefix}' followed by 8 or 17 alphanumeric characters."
                )
                yield linted.remark(Severity.ERROR, code, details, path)


def _varies(value: str) -> bool:
    """Tell whether a value is said to be a wildcard, which other checks remark on, or holds a variable."""
    return "${" in value or "*" in value or "?" in value


def _key(linted: Linted, catalogue: ActionCatalogue, condition: Condition, path: Path) -> Iterator[Remark]:
    key = condition.key.lower()
    prefix, colon, _ = key.partition(":")
    # The keys of identity providers are named by the providers' hosts.
    if not colon or "." in prefix or "/" in prefix or f"{key}/" in TAGGED_KEYS:
        return
    if key in _INSTEAD:
        details = f"The condition key {condition.key} is not supported. Use {_INSTEAD[key]} instead."
        yield linted.remark(Severity.ERROR, "UNSUPPORTED_GLOBAL_CONDITION_KEY", details, path)
    elif catalogue.key_type(condition.key) is not None or key in GLOBAL_KEYS or key.startswith(TAGGED_KEYS):
        return
    elif key.startswith(_GLOBAL):
        details = f"The condition key {condition.key} does not exist. Use a valid condition key."
        yield linted.remark(Severity.ERROR, "INVALID_GLOBAL_CONDITION_KEY", details, path)
    elif not catalogue.has_service(prefix):
        details = f"The service {prefix} does not exist. Use a valid service name."
        yield linted.remark(Severity.ERROR, "INVALID_SERVICE", details, path)
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
