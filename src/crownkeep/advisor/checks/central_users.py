"""People come from one place."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

FEW = 10


@check(
    "central-users",
    title="People sign in by an identity provider, or are few",
    topic="users",
    severity=CheckSeverity.LOW,
    why="Somebody who leaves is locked out in one place; users in every account are forgotten one by one.",
    fix=Fix("IAM Identity Center, Enable; or IAM, Identity providers, Add provider"),
    maps=cis(v1="1.21", v5="1.20", v6="2.20", v7="2.19"),
)
def central_users(view: View) -> Iterator[Verdict]:
    """Count users with passwords, and look for providers."""
    people = [line for line in credential_report.users(view) if line.has_password]
    if len(people) <= FEW:
        yield passed(f"{len(people)} users have a password.")
        return
    # A provider alone doesn't pass: people who still have a password here don't go through it.
    saml = view.get(calls.SAML_PROVIDERS).get("SAMLProviderList", [])
    oidc = view.get(calls.OIDC_PROVIDERS).get("OpenIDConnectProviderList", [])
    if saml or oidc:
        yield failed(f"There is an identity provider, and yet {len(people)} users have a password here.")
    else:
        yield failed(f"{len(people)} users have a password here, and there is no identity provider.")
