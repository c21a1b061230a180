"""Daily work of the organization is delegated."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "delegated-administrator",
    title="A member administers services for the organization",
    topic="organization",
    severity=CheckSeverity.LOW,
    why="What is done in a member needs no sign-in to the one account that nothing binds.",
    fix=Fix(
        "The service's console in the management account, Delegated administrator",
        "aws organizations register-delegated-administrator --account-id ID --service-principal SERVICE",
        'resource "aws_organizations_delegated_administrator"',
    ),
    maps=cis(v7="2.1.6"),
)
def delegated_administrator(view: View) -> Iterator[Verdict]:
    """Ask whether there is any."""
    organization.lead(view)
    found = (view.find(calls.DELEGATED) or {}).get("DelegatedAdministrators", [])
    yield passed(f"{found[0]['Id']} does.") if found else failed("None does.")
