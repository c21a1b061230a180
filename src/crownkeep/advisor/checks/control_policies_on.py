"""Service control policies are switched on."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "control-policies-on",
    title="Service control policies are switched on",
    topic="organization",
    severity=CheckSeverity.HIGH,
    why="They are the only policies that bind a root user.",
    fix=Fix(
        "AWS Organizations, Policies, Service control policies, Enable",
        "aws organizations enable-policy-type --root-id ROOT --policy-type SERVICE_CONTROL_POLICY",
        'resource "aws_organizations_organization", enabled_policy_types',
    ),
    maps=cis(v7="2.1.2"),
)
def control_policies_on(view: View) -> Iterator[Verdict]:
    """Read the root's policy types."""
    organization.lead(view)
    types = [kind for root in view.get(calls.ORGANIZATION_ROOTS)["Roots"] for kind in root.get("PolicyTypes", [])]
    if any(kind["Type"] == "SERVICE_CONTROL_POLICY" and kind["Status"] == "ENABLED" for kind in types):
        yield passed("They are.")
    else:
        yield failed("They are not.")
