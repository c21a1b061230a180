"""An organization manages its members' root users centrally."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "central-root-credentials",
    title="Root credentials of members are managed centrally",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="Members then need no root password at all, and what exists can be found and deleted from one place.",
    fix=Fix(
        "IAM, Root access management, Enable",
        "aws organizations enable-aws-service-access --service-principal iam.amazonaws.com; "
        "aws iam enable-organizations-root-credentials-management",
        'resource "aws_iam_organizations_features"',
    ),
    maps=cis(v7="2.1.1"),
)
def central_root_credentials(view: View) -> Iterator[Verdict]:
    """Ask which features the organization has switched on."""
    organization.lead(view)
    found = view.find(calls.CENTRAL_ROOT) or {}
    if "RootCredentialsManagement" in found.get("EnabledFeatures", []):
        yield passed("It is switched on. Existing credentials stay until they are deleted.")
    else:
        yield failed("It is switched off.")
