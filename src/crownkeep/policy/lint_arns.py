"""Lint of resource ARNs: their six fields, and the formats that the service's resources have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crownkeep.policy.linted import Linted
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"})
_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_ACCOUNT = re.compile(r"(?:[0-9*?]{1,12}|aws|)", re.ASCII)


def arn_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on ARNs in Resource and NotResource."""
    for statement in linted.document.statements:
        for resource, path in linted.resources(statement):
            if resource != "*":
                yield from _arn(linted, resource, path)


def _arn(linted: Linted, resource: str, path: Path) -> Iterator[Remark]:
    if resource.startswith("${"):
        return
    parts = (_VARIABLE.sub("*", resource) if linted.document.expands_variables else resource).split(":", 5)
    if parts[0] != "arn":
        details = f"Add the required prefix (arn) to the resource ARN {resource}."
        yield linted.remark(Severity.ERROR, "INVALID_ARN_PREFIX", details, path)
        return
    if len(parts) < 6:
        details = (
            "Resource ARNs must include at least 6 fields in the following structure: "
            "arn:partition:service:region:account:resource"
        )
        yield linted.remark(Severity.ERROR, "MISSING_ARN_FIELD", details, path)
        return
    _, partition, service, _, account, name = parts
    if partition not in _PARTITIONS and "*" not in partition:
        details = f"The resource ARN for the service {service} does not support the partition {partition}."
        yield linted.remark(Severity.ERROR, "INVALID_PARTITION", details, path)
    if "*" in service or "?" in service:
        details = "The service field of a resource ARN does not support wildcards."
        yield linted.remark(Severity.ERROR, "UNSUPPORTED_WILDCARD_IN_ARN_SERVICE", details, path)
    elif service != service.lower():
        details = f"The service {service} in the resource ARN must be in lower case."
        yield linted.remark(Severity.ERROR, "INVALID_ARN_SERVICE_CASE", details, path)
    if not _ACCOUNT.fullmatch(account) or (account.isdigit() and len(account) != 12):
        details = f"The resource ARN account ID {account} is not valid. Provide a 12-digit account ID."
        yield linted.remark(Severity.ERROR, "INVALID_ARN_ACCOUNT", details, path)
    if not name:
        yield linted.remark(Severity.ERROR, "INVALID_ARN_RESOURCE", "Name a resource at the end of the ARN.", path)
    else:
        yield from _by_format(linted, parts, path)


def _by_format(linted: Linted, parts: list[str], path: Path) -> Iterator[Remark]:
    """Compare Region and account with those formats of the service that the resource can be of, where all of them agree."""
    _, _, service, region, account, name = parts
    formats = linted.arn_formats(service)
    if "*" not in name and "?" not in name:
        formats = [each for each in formats if read_pattern(each[2])(name)]
    if not formats:
        return
    if account.isdigit() and len(account) == 12 and not any(each[1] for each in formats):
        details = f"The service {service} does not support specifying an account ID in the resource ARN."
        yield linted.remark(Severity.ERROR, "ARN_ACCOUNT_NOT_ALLOWED", details, path)
    if region and "*" not in region and not any(each[0] for each in formats):
        details = f"The service {service} does not support specifying a Region in the resource ARN."
        yield linted.remark(Severity.ERROR, "ARN_REGION_NOT_ALLOWED", details, path)
    if not region and all(each[0] for each in formats):
        yield linted.remark(Severity.ERROR, "MISSING_ARN_REGION", f"Add a Region to the {service} resource ARN.", path)
