"""Files don't leave by CloudShell."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

_POLICY = ":iam::aws:policy/AWSCloudShellFullAccess"


@check(
    "cloudshell-full",
    title="Nobody has AWSCloudShellFullAccess",
    topic="permissions",
    severity=CheckSeverity.LOW,
    why="It lets files be downloaded and uploaded through a shell that nothing of yours sees.",
    fix=Fix(
        "IAM, Policies, AWSCloudShellFullAccess, Entities attached: detach",
        "aws iam list-entities-for-policy --policy-arn arn:aws:iam::aws:policy/AWSCloudShellFullAccess; then detach it",
    ),
    maps={**cis(v3="1.22", v5="1.21", v6="2.21", v7="2.20"), "security-hub": ("IAM.27",)},
)
def cloudshell_full(view: View) -> Iterator[Verdict]:
    """Look at who has it."""
    account = entities.of(view)
    holders = [each for each in account.holders if any(held.arn.endswith(_POLICY) for held in each.own)]
    for each in holders:
        yield failed(f"{each.name} has it.", each.arn)
    if not holders:
        yield passed("Nobody has.")
