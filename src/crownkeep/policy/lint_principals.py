"""Lint of principals: who may stand in a policy of its kind, with which actions, and what must confine them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crownkeep.policy.document import PolicyKind, Principals, Statement
from crownkeep.policy.linted import Linted
from crownkeep.policy.operators import read_operator
from crownkeep.policy.patterns import read_pattern
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

_WITHOUT_PRINCIPAL = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.SERVICE_CONTROL})
_UNIQUE_ID = re.compile(r"A(?P<kind>IDA|ROA)[A-Z0-9]{8,32}", re.ASCII)
_DOMAIN = re.compile(r"[a-z0-9.-]+\.[a-z0-9-]+(?::[0-9]+)?(?:/.*)?", re.ASCII | re.IGNORECASE)
_PROVIDER = re.compile(r"arn:[^:]+:iam::[^:]*:(saml|oidc)-provider/.+", re.ASCII)
_SOURCES = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
_OF_PRINCIPALS = ("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:principaltag/")
"""Keys that no request of a service's principal has (policy check "Unsupported condition key for service principal")."""
_GITHUB = "token.actions.githubusercontent.com"
_ROLES_ANYWHERE = "rolesanywhere.amazonaws.com"
_ROLES_ANYWHERE_NEEDS = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
_ACTION_OF_KEY = {
    "sts:sourceidentity": "sts:SetSourceIdentity",
    "sts:transitivetagkeys": "sts:TagSession",
    "aws:tagkeys": "sts:TagSession",
}
"""What a trust policy must allow before a key is filled in (policy check "Missing action for condition key")."""


def principal_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on Principal and NotPrincipal."""
    for statement in linted.document.statements:
        yield from _elements(linted, statement)
        if statement.principal is None or linted.kind in _WITHOUT_PRINCIPAL:
            continue
        if linted.kind is PolicyKind.TRUST:
            yield from _federated(linted, statement, statement.principal)
            yield from _mismatched(linted, statement, statement.principal)
            yield from _assumed_roles(linted, statement, statement.principal)
            if statement.allows:
                yield from _missing_actions(linted, statement, statement.principal)
        elif linted.kind is PolicyKind.RESOURCE:
            yield from _without_federation(linted, statement, statement.principal)
        if statement.allows:
            yield from _service_principals(linted, statement, statement.principal)


def _elements(linted: Linted, statement: Statement) -> Iterator[Remark]:
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
        code = "EMPTY_ARRAY_PRINCIPAL" if principals.has_types else "EMPTY_OBJECT_PRINCIPAL"
        details = "This statement includes no principals and does not affect the policy. Specify principals."
        yield linted.remark(Severity.SUGGESTION, code, details, path)
    for kind, name in principals.named:
        if name != "*" and ("*" in name or "?" in name):
            details = f"Wildcards are not supported in the principal {name}. Name it in full, or use conditions."
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", details, (*path, kind))
        elif kind == "AWS" and (found := _UNIQUE_ID.fullmatch(name)):
            what = "user" if found["kind"] == "IDA" else "role"
            details = f"The Principal element includes the IAM {what} ID {name}. We recommend that you use a {what} ARN instead."
            yield linted.remark(Severity.WARNING, f"INVALID_{what.upper()}_REFERENCE", details, (*path, kind))


def _federated(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    """What is wrong with identity providers in a trust policy, and what should confine their identities."""
    path = linted.path(statement, "Principal", "Federated")
    keys = {condition.key.lower() for condition in statement.conditions}
    for name in _of_kind(principals, "Federated"):
        if not _PROVIDER.fullmatch(name) and not _DOMAIN.fullmatch(name) and "*" not in name and "?" not in name:
            details = (
                f"The federated principal {name} does not match the expected format. Use a domain name or the ARN of a provider."
            )
            code = "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY"
            yield linted.remark(Severity.ERROR, code, details, path)
        if not statement.allows or _provider_kind(name) != "oidc":
            continue
        issuer = name.partition("oidc-provider/")[2] or name
        if not any(key.startswith(f"{issuer.lower()}:") for key in keys):
            details = f"The statement trusts every identity of {name}. Add a condition on its audience and subject."
            yield linted.remark(Severity.SECURITY_WARNING, "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", details, path)
        if issuer.lower() == _GITHUB:
            yield from _github(linted, statement, keys, path)


def _github(linted: Linted, statement: Statement, keys: set[str], path: Path) -> Iterator[Remark]:
    subject = f"{_GITHUB}:sub"
    if subject not in keys:
        details = f"Every repository on GitHub may take on the role. Add {subject} with the repository and the branch."
        yield linted.remark(Severity.SECURITY_WARNING, "MISSING_GITHUB_REPO_CONDITION_KEY", details, path)
    for condition in statement.conditions:
        if condition.key.lower() == subject and any("*" in value or "?" in value for value in condition.values):
            details = f"A wildcard in {subject} lets in more sources than meant. Name the repository and the branch."
            place = linted.path(statement, "Condition", condition.operator, condition.key)
            yield linted.remark(Severity.WARNING, "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", details, place)


def _mismatched(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    """Actions that none of the statement's principals can call: a provider's with its own action, nobody else with it."""
    kinds = {_provider_kind(name) if kind == "Federated" else kind for kind, name in principals.named}
    callers = {
        "sts:assumerole": {"AWS", "Service", "CanonicalUser"},
        "sts:assumerolewithsaml": {"saml"},
        "sts:assumerolewithwebidentity": {"oidc"},
    }
    for action, path in linted.entries(statement, "Action"):
        if kinds and not principals.everyone and kinds.isdisjoint(callers.get(action.lower(), kinds)):
            details = (
                f"The action {action} is invalid with these principals. Use a SAML provider with sts:AssumeRoleWithSAML, "
                "and an OpenID Connect provider with sts:AssumeRoleWithWebIdentity."
            )
            yield linted.remark(Severity.ERROR, "MISMATCHED_ACTION_FOR_PRINCIPAL", details, path)


def _missing_actions(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    if _ROLES_ANYWHERE in _of_kind(principals, "Service"):
        missing = [action for action in _ROLES_ANYWHERE_NEEDS if not _allows(statement, action)]
        if missing:
            details = f"The service principal {_ROLES_ANYWHERE} needs the missing permissions {', '.join(missing)}."
            path = linted.path(statement)
            yield linted.remark(Severity.ERROR, "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", details, path)
    for condition in statement.conditions:
        key = condition.key.lower()
        action = "sts:TagSession" if key.startswith("aws:requesttag/") else _ACTION_OF_KEY.get(key)
        if action is not None and not _allows(statement, action):
            details = f"The action {action} must be allowed here to set values for the condition key {condition.key}."
            path = linted.path(statement, "Condition", condition.operator, condition.key)
            yield linted.remark(Severity.ERROR, "MISSING_ACTION_FOR_CONDITION_KEY", details, path)


def _assumed_roles(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    names = set(_of_kind(principals, "AWS"))
    for name in sorted(names):
        role = re.sub(r":sts:([^:]*):([^:]*):assumed-role/([^/]+)/.+", r":iam:\1:\2:role/\3", name)
        if role != name and role in names:
            details = f"The assumed-role principal {name} is redundant with its parent role {role}."
            path = linted.path(statement, "Principal", "AWS")
            yield linted.remark(Severity.SUGGESTION, "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY", details, path)


def _without_federation(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    if _of_kind(principals, "Federated"):
        details = "Only role trust policies support identity providers as principals. Use a supported principal."
        path = linted.path(statement, "Principal", "Federated")
        yield linted.remark(Severity.ERROR, "FEDERATED_PRINCIPAL_NOT_SUPPORTED", details, path)


def _service_principals(linted: Linted, statement: Statement, principals: Principals) -> Iterator[Remark]:
    """Services that act for anybody (the confused deputy), and conditions that their requests never have."""
    services = _of_kind(principals, "Service")
    if not services:
        return
    path = linted.path(statement, "Principal", "Service")
    keys = {condition.key.lower() for condition in statement.conditions}
    if linted.kind is PolicyKind.RESOURCE and keys.isdisjoint(_SOURCES):
        if "aws:referer" in keys:
            details = f"To confine {services[0]}, use aws:SourceArn or aws:SourceAccount instead of aws:Referer."
            yield linted.remark(Severity.SUGGESTION, "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", details, path)
        else:
            details = "The service may act for anybody's account here. Add aws:SourceArn or aws:SourceAccount."
            yield linted.remark(Severity.SECURITY_WARNING, "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", details, path)
    if len(services) < len(principals.named):
        return
    for condition in statement.conditions:
        operator = read_operator(condition.operator)
        # Negated operators and IfExists hold for a request without the key, and Null asks for just that.
        if operator is None or operator.negated or operator.if_exists or operator.base == "Null":
            continue
        if condition.key.lower().startswith(_OF_PRINCIPALS):
            details = f"The condition key {condition.key} is not supported when used with the service principal {services[0]}."
            place = linted.path(statement, "Condition", condition.operator, condition.key)
            yield linted.remark(Severity.ERROR, "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", details, place)


def _of_kind(principals: Principals, wanted: str) -> list[str]:
    return [name for kind, name in principals.named if kind == wanted]


def _provider_kind(name: str) -> str:
    found = _PROVIDER.fullmatch(name)
    return found[1] if found else "oidc"


def _allows(statement: Statement, action: str) -> bool:
    return any(read_pattern(entry.lower())(action.lower()) for entry in statement.actions or ())
