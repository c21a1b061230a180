"""Lint of a policy's elements: versions, Sids, actions, resources, principals, and what its kind may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crownkeep.policy.document import PolicyKind, Principals, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

_WITHOUT_PRINCIPAL = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.SERVICE_CONTROL})
_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"})
_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_ACCOUNT = re.compile(r"(?:[0-9*?]{1,12}|aws|)", re.ASCII)
# The characters each kind of policy may have: quotas of IAM and of Organizations.
_QUOTAS = {PolicyKind.SERVICE_CONTROL: 10_240, PolicyKind.RESOURCE_CONTROL: 5_120, PolicyKind.IDENTITY: 6_144}


def element_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on elements other than conditions."""
    yield from _document(linted)
    for statement in linted.document.statements:
        yield from _principal(linted, statement)
        yield from _actions(linted, statement)
        yield from _resources(linted, statement)
        yield from _required(linted, statement)
        yield from _mixed_services(linted, statement)


def _document(linted: Linted) -> Iterator[Remark]:
    document = linted.document
    if document.version is None:
        details = "We recommend that you specify the Version element to help you with debugging permission issues."
        yield linted.remark(Severity.WARNING, "MISSING_VERSION", details, ())
    elif document.version == "2008-10-17":
        details = "We recommend that you use 2012-10-17, the current version of the policy language."
        yield linted.remark(Severity.WARNING, "OLD_LANGUAGE_VERSION", details, ("Version",))
    first: dict[str, Statement] = {}
    for statement in document.statements:
        if not statement.sid:
            continue
        if statement.sid in first:
            paths = (linted.path(first[statement.sid], "Sid"), linted.path(statement, "Sid"))
            details = f"Duplicate statement IDs are not allowed. Change the Sid {statement.sid}."
            yield linted.remark(Severity.ERROR, "UNIQUE_SIDS_REQUIRED", details, *paths)
        first.setdefault(statement.sid, statement)
        if not re.fullmatch("[A-Za-z0-9]*", statement.sid):
            details = f"The Sid {statement.sid} may hold letters and digits only."
            yield linted.remark(Severity.ERROR, "INVALID_SID", details, linted.path(statement, "Sid"))
    quota = _QUOTAS.get(linted.kind)
    size = len(re.sub(r"\s", "", document.text))
    if quota is not None and size > quota:
        details = f"The {size} characters in the policy exceed the quota of {quota}."
        yield linted.remark(Severity.ERROR, "POLICY_SIZE_EXCEEDS_QUOTA", details, ())


def _principal(linted: Linted, statement: Statement) -> Iterator[Remark]:
    for element, principals in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
        if principals is None:
            continue
        path = linted.path(statement, element)
        if linted.kind in _WITHOUT_PRINCIPAL:
            code = "SCP_SYNTAX_ERROR_PRINCIPAL" if linted.kind is PolicyKind.SERVICE_CONTROL else "UNSUPPORTED_PRINCIPAL"
            yield linted.remark(Severity.ERROR, code, f"The {element} element is not supported in this policy.", path)
        elif element == "NotPrincipal" and linted.kind is PolicyKind.TRUST:
            details = "Role trust policies do not support NotPrincipal. Use Principal."
            yield linted.remark(Severity.ERROR, "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", details, path)
        else:
            yield from _names(linted, principals, path)
    if linted.kind not in _WITHOUT_PRINCIPAL and statement.principal is None and statement.not_principal is None:
        yield linted.remark(Severity.ERROR, "MISSING_PRINCIPAL", "Add a Principal element.", linted.path(statement))


def _names(linted: Linted, principals: Principals, path: Path) -> Iterator[Remark]:
    if linted.kind is PolicyKind.TRUST and principals.everyone:
        details = 'Role trust policies do not support the principal "*". Use {"AWS": "*"} with conditions.'
        yield linted.remark(Severity.ERROR, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", details, path)
    if not principals.everyone and not principals.named:
        yield linted.remark(Severity.ERROR, "MISSING_PRINCIPAL", "Name at least one principal.", path)
    for kind, name in principals.named:
        if name != "*" and ("*" in name or "?" in name):
            details = f"Wildcards are not supported in the principal {name}. Name it in full, or use conditions."
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", details, (*path, kind))
        elif kind == "AWS" and re.fullmatch(r"A(?:IDA|ROA)[A-Z0-9]{8,32}", name):
            details = f"The principal {name} is the unique id of a user or role that no longer exists."
            yield linted.remark(Severity.WARNING, "UNIQUE_ID_NOT_RECOMMENDED", details, (*path, kind))


def _required(linted: Linted, statement: Statement) -> Iterator[Remark]:
    if statement.actions is None and statement.not_actions is None:
        yield linted.remark(Severity.ERROR, "MISSING_ACTION", "Add an Action or NotAction.", linted.path(statement))
    has_resource = statement.resources is not None or statement.not_resources is not None
    if linted.kind is PolicyKind.TRUST:
        if has_resource:
            element = "Resource" if statement.resources is not None else "NotResource"
            details = "Role trust policies do not support Resource: they are attached to it."
            path = linted.path(statement, element)
            yield linted.remark(Severity.ERROR, f"ROLE_TRUST_POLICY_SYNTAX_ERROR_{element.upper()}", details, path)
    elif not has_resource and linted.kind is not PolicyKind.RESOURCE:
        yield linted.remark(Severity.ERROR, "MISSING_RESOURCE", "Add a Resource or NotResource.", linted.path(statement))
    for element, values in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if values == ():
            details = f"This statement includes no {element.lower()} and does not affect anything."
            code = f"EMPTY_ARRAY_{'ACTION' if 'Action' in element else 'RESOURCE'}"
            yield linted.remark(Severity.SUGGESTION, code, details, linted.path(statement, element))


def _actions(linted: Linted, statement: Statement) -> Iterator[Remark]:
    entries = list(linted.actions(statement))
    for action, path in entries:
        yield from _action(linted, action, path)
    yield from _redundant(linted, entries, "ACTION")
    if linted.kind is PolicyKind.TRUST:
        for action, path in entries:
            if not action.lower().startswith("sts:"):
                details = "Role trust policies may only specify STS AssumeRole actions."
                yield linted.remark(Severity.ERROR, "MISMATCHED_ACTION_FOR_PRINCIPAL", details, path)
    if linted.kind is PolicyKind.RESOURCE_CONTROL:
        for action, path in entries:
            if action.startswith("*"):
                details = "Resource control policies must name a service in each action."
                yield linted.remark(Severity.ERROR, "RCP_SYNTAX_ERROR_ACTION", details, path)


def _action(linted: Linted, action: str, path: Path) -> Iterator[Remark]:
    if action in ("*", "*:*"):
        return
    prefix, colon, name = action.partition(":")
    if not colon or not prefix or not name:
        details = f"The action {action} is not valid. Write it as service:Action, such as iam:GetUser."
        yield linted.remark(Severity.ERROR, "INVALID_ACTION", details, path)
    elif ":" in name:
        details = f"The action {action} may hold one colon only."
        yield linted.remark(Severity.ERROR, "INVALID_ACTION", details, path)
    elif linted.catalogue is not None:
        yield from _known_action(linted, linted.catalogue, action, path)


def _known_action(linted: Linted, catalogue: ActionCatalogue, action: str, path: Path) -> Iterator[Remark]:
    prefix, _, name = action.partition(":")
    if "*" in prefix or "?" in prefix:
        return
    if not catalogue.has_service(prefix.lower()):
        details = f"The service {prefix} specified in the action does not exist."
        yield linted.remark(Severity.ERROR, "INVALID_SERVICE_IN_ACTION", details, path)
        return
    if not linted.is_action(prefix.lower(), name.lower()):
        details = f"The action {action} does not exist."
        yield linted.remark(Severity.ERROR, "INVALID_ACTION", details, path)


def _redundant(linted: Linted, entries: list[tuple[str, Path]], what: str) -> Iterator[Remark]:
    """Entries that repeat another entry of the same element, or that a wildcard of it covers."""
    fold = str.lower if what == "ACTION" else str
    first: dict[str, Path] = {}
    wild = [(read_pattern(fold(text)), text, path) for text, path in entries if "*" in text and "${" not in text]
    for text, path in entries:
        folded = fold(text)
        covering = (
            (pattern, other) for matches, pattern, other in wild[:_MAX_WILDCARDS] if fold(pattern) != folded and matches(folded)
        )
        found = (text, first[folded]) if folded in first else next(covering, None)
        first.setdefault(folded, path)
        if found is not None:
            details = f"The {what.lower()} {text} is redundant, because {found[0]} covers it."
            yield linted.remark(Severity.SUGGESTION, f"REDUNDANT_{what}", details, path, found[1])


# A document may hold thousands of patterns; comparing each with each would let one request cost seconds.
_MAX_WILDCARDS = 64


def _resources(linted: Linted, statement: Statement) -> Iterator[Remark]:
    entries = list(linted.resources(statement))
    for resource, path in entries:
        if resource != "*":
            yield from _arn(linted, resource, path)
    yield from _redundant(linted, entries, "RESOURCE")


def _arn(linted: Linted, resource: str, path: Path) -> Iterator[Remark]:
    parts = _VARIABLE.sub("*", resource).split(":", 5) if linted.document.expands_variables else resource.split(":", 5)
    if resource.startswith("${"):
        return
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


def _mixed_services(linted: Linted, statement: Statement) -> Iterator[Remark]:
    """Actions that none of the statement's resources can be a target of."""
    catalogue = linted.catalogue
    resources = statement.resources or ()
    if catalogue is None or not resources or not all(map(_ARN_START.match, resources)):
        return
    services = {resource.split(":")[2] for resource in resources}
    for action, path in linted.entries(statement, "Action"):
        prefix, _, name = action.lower().partition(":")
        if not catalogue.has_service(prefix) or name not in linted.action_names(prefix):
            continue
        patterns = catalogue.resource_patterns(action)
        if patterns is None:
            continue
        if not patterns:
            details = f"The action {action} does not support resources; in this statement it has no effect."
            yield linted.remark(Severity.WARNING, "RESOURCE_STAR_REQUIRED", details, path)
        elif services.isdisjoint({pattern.split(":")[2] for pattern in patterns}):
            details = f"The action {action} cannot be taken on any resource of this statement."
            yield linted.remark(Severity.WARNING, "MISMATCHED_RESOURCE_FOR_ACTION", details, path)


_ARN_START = re.compile(r"arn:[^:]*:[a-z0-9-]+(?::|$)", re.ASCII)
