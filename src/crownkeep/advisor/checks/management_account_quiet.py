"""The management account has nothing but management."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

MOST_USERS = 5


@check(
    "management-account-quiet",
    title="The management account is used for nothing else",
    topic="organization",
    severity=CheckSeverity.MEDIUM,
    why="No control policy binds the management account: whoever works there works without a net.",
    fix=Fix("Move workloads and people's users to members; make a delegated administrator for services."),
    maps=cis(v7="2.1.3"),
)
def management_account_quiet(view: View) -> Iterator[Verdict]:
    """Count users and instance profiles: a hint, for what runs there other services know."""
    organization.lead(view)
    summary = view.get(calls.SUMMARY)["SummaryMap"]
    users, profiles = summary.get("Users", 0), summary.get("InstanceProfiles", 0)
    if users > MOST_USERS or profiles:
        yield failed(f"It has {users} users and {profiles} instance profiles.")
    else:
        yield passed(f"It has {users} users and no instance profile.")
