"""No policy of one's own grants a whole service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "policies-wildcards",
    title="No policy of the account's own grants all actions of a service on everything",
    topic="permissions",
    severity=CheckSeverity.MEDIUM,
    why="A whole service holds far more than anybody who wrote `s3:*` thought of.",
    fix=Fix(
        "IAM, Policies, the policy, Edit: name actions and resources",
        "aws iam create-policy-version --policy-arn ARN --policy-document file://policy.json --set-as-default",
        'resource "aws_iam_policy"',
    ),
    maps={"security-hub": ("IAM.21",), "config": ("iam-policy-no-statements-with-full-access",)},
)
def policies_wildcards(view: View) -> Iterator[Verdict]:
    """Look at attached policies and inline ones, AWS's own left out."""
    found: dict[tuple[str, str], list[str]] = {}
    account = entities.of(view)
    for holder in account.holders:
        for held in holder.own:
            services = (
                [] if held.is_managed_by_aws else [one for each in entities.statements(held.document) for one in _whole(each)]
            )
            if services:
                found[held.name, held.arn or holder.arn] = services
    for (name, arn), services in found.items():
        yield failed(f"{name} grants {', '.join(dict.fromkeys(services))} on everything.", arn)
    if not found:
        yield passed("None does.")


def _whole(statement: Mapping[str, Any]) -> list[str]:
    # An action `*` is every service's: `policies-everything` finds it.
    if statement.get("Effect") != "Allow" or statement.get("Condition") or "*" not in entities.listed(statement.get("Resource")):
        return []
    return [each for each in entities.listed(statement.get("Action")) if each.endswith(":*") and not each.startswith("*")]
