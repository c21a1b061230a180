"""Lint of a policy's elements: versions, Sids, actions, resources, principals, and what its kind may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from crownkeep.policy.document import PolicyKind, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import ActionCatalogue, Remark, Severity

# The characters each kind of policy may have: quotas of IAM and of Organizations.
_QUOTAS = {
    PolicyKind.SERVICE_CONTROL: (Severity.ERROR, "SCP", 10_240),
    PolicyKind.RESOURCE_CONTROL: (Severity.ERROR, "RCP", 5_120),
    PolicyKind.IDENTITY: (Severity.WARNING, "IDENTITY_POLICY", 6_144),
    PolicyKind.TRUST: (Severity.WARNING, "ROLE_TRUST_POLICY", 2_048),
}


def element_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on elements other than conditions."""
    yield from _document(linted)
    for statement in linted.document.statements:
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
    yield from _sids(linted)
    yield from _repeated(linted)
    if linted.kind in _QUOTAS:
        severity, name, quota = _QUOTAS[linted.kind]
        size = len(re.sub(r"\s", "", document.text))
        if size > quota:
            details = f"The {size} characters in the policy exceed the quota of {quota}. Use several policies."
            yield linted.remark(severity, f"POLICY_SIZE_EXCEEDS_{name}_QUOTA", details, ())


def _sids(linted: Linted) -> Iterator[Remark]:
    first: dict[str, Statement] = {}
    for statement in linted.document.statements:
        sid, path = statement.sid, linted.path(statement, "Sid")
        if sid is None:
            continue
        if sid == "":
            yield linted.remark(Severity.SUGGESTION, "EMPTY_SID_VALUE", "Add a value to the empty string in Sid.", path)
            continue
        if sid in first:
            # IAM and Organizations refuse repeated Sids; the services behind resource policies mostly do not.
            unique = linted.kind is not PolicyKind.RESOURCE
            severity, code = (Severity.ERROR, "REQUIRED") if unique else (Severity.WARNING, "RECOMMENDED")
            details = f"Statement IDs should be unique in a policy. Change the Sid {sid}."
            yield linted.remark(severity, f"UNIQUE_SIDS_{code}", details, linted.path(first[sid], "Sid"), path)
        first.setdefault(sid, statement)
        if not re.fullmatch("[A-Za-z0-9]*", sid):
            details = f"The Sid {sid} may hold letters and digits only."
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_SID", details, path)


def _repeated(linted: Linted) -> Iterator[Remark]:
    first: dict[Statement, Statement] = {}
    for statement in linted.document.statements:
        same = first.setdefault(replace(statement, index=0, sid=None), statement)
        if same is not statement:
            details = "The statements are redundant because they provide identical permissions. Remove one of them."
            yield linted.remark(Severity.SUGGESTION, "REDUNDANT_STATEMENT", details, linted.path(same), linted.path(statement))


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
        details = "Avoid wildcards (*, ?) in the service name: they take in other services with similar names."
        yield linted.remark(Severity.SUGGESTION, "WILDCARD_IN_SERVICE_NAME", details, path)
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
    yield from _redundant(linted, list(linted.resources(statement)), "RESOURCE")


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
