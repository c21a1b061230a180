"""An organization can take on a member's root user for one task."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "central-root-sessions",
    title="Root sessions of members are possible centrally",
    topic="root",
    severity=CheckSeverity.MEDIUM,
    why="What only root can do is then done in sessions of 15 minutes with one task, and without a root password.",
    fix=Fix(
        "IAM, Root access management, Enable: Privileged root actions in member accounts",
        "aws iam enable-organizations-root-sessions",
        'resource "aws_iam_organizations_features"',
    ),
    maps=cis(v7="2.1.1"),
)
def central_root_sessions(view: View) -> Iterator[Verdict]:
    """Ask which features the organization has switched on."""
    organization.lead(view)
    found = view.find(calls.CENTRAL_ROOT) or {}
    if "RootSessions" in found.get("EnabledFeatures", []):
        yield passed("They are.")
    else:
        yield failed("They are not.")
