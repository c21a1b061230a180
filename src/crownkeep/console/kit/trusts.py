"""Trust policies, written for whom somebody chooses to trust with a role."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from crownkeep import arn


class Trusted(Enum):
    """Who may take a role on; the values are those of the form."""

    ACCOUNT = "account"
    SERVICE = "service"
    WEB_IDENTITY = "web"
    SAML = "saml"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was entered about the trusted; each kind of trusted uses a few of these."""

    account_id: str = ""
    has_mfa: bool = False
    """Whether the account's callers must have signed in with MFA."""
    external_id: str = ""
    service: str = ""
    """Such as `ec2.amazonaws.com`."""
    provider: str = ""
    """The ARN of an identity provider of the account or, for the web, the name of a well-known one."""
    audience: str = ""
    subject: str = ""
    saml_audiences: Sequence[str] = ()


WELL_KNOWN = ("accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com")
"""Web identity providers that need not be registered (IAM user guide, "Create a role for OIDC federation")."""
_KEYS_OF_OTHERS = {"graph.facebook.com": "app_id", "www.amazon.com": "app_id"}
_OIDC = ":oidc-provider/"


def document(trusted: Trusted, terms: Terms) -> str:
    """Write the trust policy; empty for a custom one, which is written by hand."""
    match trusted:
        case Trusted.ACCOUNT:
            return _written({"AWS": arn.root(terms.account_id)}, "sts:AssumeRole", _of_account(terms))
        case Trusted.SERVICE:
            return _written({"Service": terms.service}, "sts:AssumeRole", {})
        case Trusted.WEB_IDENTITY:
            return _written({"Federated": terms.provider}, "sts:AssumeRoleWithWebIdentity", _of_web_identity(terms))
        case Trusted.SAML:
            audiences = {"StringEquals": {"SAML:aud": list(terms.saml_audiences)}}
            return _written({"Federated": terms.provider}, "sts:AssumeRoleWithSAML", audiences)
        case Trusted.CUSTOM:
            return ""


def _of_account(terms: Terms) -> dict[str, Mapping[str, object]]:
    condition: dict[str, Mapping[str, object]] = {}
    if terms.external_id:
        condition["StringEquals"] = {"sts:ExternalId": terms.external_id}
    if terms.has_mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    return condition


def _of_web_identity(terms: Terms) -> dict[str, Mapping[str, object]]:
    # Condition keys of a provider begin with its host, and not with its ARN (IAM user guide, "Available keys for AWS OIDC
    # federation").
    host = terms.provider.partition(_OIDC)[2] or terms.provider
    condition: dict[str, Mapping[str, object]] = {}
    if terms.audience:
        condition["StringEquals"] = {f"{host}:{_KEYS_OF_OTHERS.get(host, 'aud')}": terms.audience}
    if terms.subject:
        condition["StringLike"] = {f"{host}:sub": terms.subject}
    return condition


def _written(principal: Mapping[str, str], action: str, condition: Mapping[str, object]) -> str:
    statement: dict[str, object] = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2, ensure_ascii=False)
