"""Somebody can ask AWS for help without root."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

_POLICY = ":iam::aws:policy/AWSSupportAccess"


@check(
    "support-role",
    title="Somebody may open support cases",
    topic="permissions",
    severity=CheckSeverity.LOW,
    why="Else root is used for it, in a hurry.",
    fix=Fix(
        "IAM, Roles, Create role, AWSSupportAccess",
        "aws iam attach-role-policy --role-name NAME --policy-arn arn:aws:iam::aws:policy/AWSSupportAccess",
        'resource "aws_iam_role_policy_attachment"',
    ),
    maps={**cis(v1="1.17", v5="1.16", v6="2.16", v7="2.15"), "security-hub": ("IAM.18",)},
)
def support_role(view: View) -> Iterator[Verdict]:
    """Look who has AWSSupportAccess."""
    account = entities.of(view)
    for each in account.holders:
        if any(held.arn.endswith(_POLICY) for held in each.own):
            yield passed(f"{each.name} has AWSSupportAccess.", each.arn)
            return
    yield failed("Nobody has AWSSupportAccess.")
