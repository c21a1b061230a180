"""Trust policies: whom roles let in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crownkeep.advisor import calls, entities
from crownkeep.advisor.entities import Role
from crownkeep.advisor.view import CannotTell, View

_ACCOUNT = re.compile(r"(?:arn:[^:]+:(?:iam|sts)::)?([0-9]{12})(?::.*)?", re.ASCII)
# What says who may come, beside the principal.
_LIMITING = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "sts:externalid",
    "aws:sourceaccount",
)
_SUBJECT = (":sub", ":repository", ":repository_owner", ":amr", "saml:sub")


def roles(view: View) -> list[Role]:
    """Return the roles that AWS's services don't keep for themselves."""
    return [role for role in entities.of(view).roles if not role.is_service_linked]


def lets_anybody_in(role: Role) -> bool:
    """Tell whether everyone is trusted, and no condition says who."""
    return any("*" in _principals(each, "AWS") and not _has_key(each, _LIMITING) for each in _allowing(role))


def accounts(role: Role) -> set[str]:
    """Return the accounts that are trusted by their number or by somebody in them."""
    named = [name for each in _allowing(role) for name in _principals(each, "AWS")]
    return {found[1] for name in named if (found := _ACCOUNT.fullmatch(name))}


def known_accounts(view: View) -> set[str]:
    """Return this account and those of its organization; the management account alone may see more."""
    known = {view.account_id}
    organization = view.find(calls.ORGANIZATION)
    if organization is None:
        return known
    known.add(str(organization["Organization"].get("MasterAccountId", "")))
    try:
        listed = view.find(calls.ORGANIZATION_ACCOUNTS)
    except CannotTell:
        return known
    return known | {each["Id"] for each in (listed or {}).get("Accounts", [])}


def has_bare_statement(role: Role, known: set[str]) -> bool:
    """Tell whether a statement trusts an account from outside and asks for neither an external id nor MFA."""
    return any(
        any((found := _ACCOUNT.fullmatch(name)) and found[1] not in known for name in _principals(each, "AWS"))
        and not _has_key(each, ("sts:externalid", "aws:multifactorauthpresent", "aws:principalorgid"))
        for each in _allowing(role)
    )


def web_statements(role: Role) -> list[Mapping[str, Any]]:
    """Return the statements that take tokens of OpenID Connect providers."""
    return [each for each in _allowing(role) if any("saml-provider/" not in name for name in _principals(each, "Federated"))]


def limits_subject(statement: Mapping[str, Any]) -> bool:
    """Tell whether a condition says whose tokens are taken; a lone star says nothing."""
    return any(
        key.lower().endswith(_SUBJECT) and any(set(value) - {"*"} for value in entities.listed(values))
        for conditions in statement.get("Condition", {}).values()
        for key, values in conditions.items()
    )


def _allowing(role: Role) -> Iterator[Mapping[str, Any]]:
    for each in entities.statements(role.trust):
        if each.get("Effect") == "Allow":
            yield each


def _principals(statement: Mapping[str, Any], kind: str) -> list[str]:
    element = statement.get("Principal", {})
    if element == "*":
        return ["*"] if kind == "AWS" else []
    return entities.listed(element.get(kind)) if isinstance(element, dict) else []


def _has_key(statement: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    return any(key.lower() in keys for conditions in statement.get("Condition", {}).values() for key in conditions)
