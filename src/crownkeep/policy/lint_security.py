"""Lint of what a policy lets happen: grants wider than anybody means, and denies that can be walked around."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.policy.document import PolicyKind, Statement
from crownkeep.policy.lint_grants import GRANTING
from crownkeep.policy.linted import Linted
from crownkeep.policy.positions import Path
from crownkeep.policy.remarks import Remark, Severity

# With one of these keys a principal of `*`, or another account's service, is confined.
_CONFINING_KEYS = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:userid",
    "sts:externalid",
)


def security_remarks(linted: Linted) -> Iterator[Remark]:
    """Every remark on what a policy lets happen."""
    for statement in linted.document.statements:
        if statement.allows:
            yield from _wide_allow(linted, statement)
            yield from _open_principal(linted, statement)
        else:
            yield from _weak_deny(linted, statement)


def _wide_allow(linted: Linted, statement: Statement) -> Iterator[Remark]:
    path = linted.path(statement)
    if statement.not_principal is not None:
        details = "Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal instead."
        path = linted.path(statement, "NotPrincipal")
        yield linted.remark(Severity.SECURITY_WARNING, "ALLOW_WITH_NOT_PRINCIPAL", details, path)
    if linted.kind not in GRANTING:
        return
    if statement.not_actions is not None and statement.not_resources is not None:
        details = "Using Allow with NotAction and NotResource grants almost everything. Name actions and resources."
        yield linted.remark(Severity.SECURITY_WARNING, "ALLOW_WITH_NOT_ACTION_AND_NOT_RESOURCE", details, path)
    elif statement.not_actions is not None and _names_everything(statement.resources):
        details = "Using Allow with NotAction and all resources grants every new action too. Name actions."
        path = linted.path(statement, "NotAction")
        yield linted.remark(Severity.SECURITY_WARNING, "ALLOW_WITH_NOT_ACTION", details, path)
    if _names_everything(statement.actions) and _names_everything(statement.resources) and not statement.conditions:
        details = "The statement allows every action on every resource. Name what is needed."
        paths = (linted.path(statement, "Action"), linted.path(statement, "Resource"))
        yield linted.remark(Severity.SECURITY_WARNING, "ALLOW_ALL_ACTIONS_ON_ALL_RESOURCES", details, *paths)


def _names_everything(values: tuple[str, ...] | None) -> bool:
    return values is not None and any(set(value) <= {"*", ":"} for value in values)


def _mentions(statement: Statement, *keys: str) -> bool:
    return any(condition.key.lower() in keys for condition in statement.conditions)


def _open_principal(linted: Linted, statement: Statement) -> Iterator[Remark]:
    principals = statement.principal
    if principals is None or linted.kind not in (PolicyKind.RESOURCE, PolicyKind.TRUST):
        return
    path: Path = linted.path(statement, "Principal")
    is_open = principals.everyone or ("AWS", "*") in principals.named
    if is_open and not _mentions(statement, *_CONFINING_KEYS):
        details = "The statement allows everyone, of any account and without one. Name principals, or add a condition."
        yield linted.remark(Severity.SECURITY_WARNING, "ALLOW_PUBLIC_ACCESS", details, path)
    # Providers of OpenID Connect are asked for a key of their own: `lint_principals`.
    federated = [name for kind, name in principals.named if kind == "Federated" and ":saml-provider/" in name]
    if federated and linted.kind is PolicyKind.TRUST and not statement.conditions:
        details = f"The statement trusts every identity of {federated[0]}. Add a condition on its audience and subject."
        yield linted.remark(Severity.SECURITY_WARNING, "FEDERATED_TRUST_WITHOUT_CONDITION", details, path)


def _weak_deny(linted: Linted, statement: Statement) -> Iterator[Remark]:
    if statement.not_principal is not None:
        details = "Using Deny with NotPrincipal also denies callers with a permissions boundary. Use aws:PrincipalArn."
        path = linted.path(statement, "NotPrincipal")
        yield linted.remark(Severity.WARNING, "DENY_WITH_NOT_PRINCIPAL", details, path)
    for condition in statement.conditions:
        if condition.key.lower() == "aws:multifactorauthpresent" and condition.operator == "Bool":
            details = "aws:MultiFactorAuthPresent is absent for access keys, so this Deny misses them. Use BoolIfExists."
            path = linted.path(statement, "Condition", condition.operator, condition.key)
            yield linted.remark(Severity.SECURITY_WARNING, "DENY_WITHOUT_IF_EXISTS_ON_MFA", details, path)
        if condition.operator.startswith("ForAllValues:"):
            details = "ForAllValues is true for a request without the key: this Deny then denies everything."
            path = linted.path(statement, "Condition", condition.operator, condition.key)
            yield linted.remark(Severity.WARNING, "FORALLVALUES_WITH_MISSING_KEY", details, path)
