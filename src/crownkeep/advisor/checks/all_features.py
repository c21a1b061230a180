"""The organization can bind its members."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "organization-features",
    title="The organization has all features",
    topic="organization",
    severity=CheckSeverity.HIGH,
    why="With consolidated billing alone there are no control policies: nothing binds a member's root user.",
    fix=Fix("AWS Organizations, Settings, Begin process to enable all features", "aws organizations enable-all-features"),
)
def organization_features(view: View) -> Iterator[Verdict]:
    """Read the feature set."""
    found = organization.of(view).get("FeatureSet")
    yield passed("It has.") if found == "ALL" else failed("It has consolidated billing alone.")
