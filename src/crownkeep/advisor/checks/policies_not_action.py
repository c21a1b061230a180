"""No policy grants all but a few."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "policies-not-action",
    title="No policy of the account's own allows by NotAction",
    topic="permissions",
    severity=CheckSeverity.MEDIUM,
    why="It grants every action that AWS will ever think of, save those that somebody listed.",
    fix=Fix("IAM, Policies, the policy, Edit: allow by Action, and deny what must not be by a statement of its own"),
)
def policies_not_action(view: View) -> Iterator[Verdict]:
    """Look at attached policies and inline ones, AWS's own left out. To deny by NotAction is a good way."""
    account = entities.of(view)
    found = dict.fromkeys(
        (held.name, held.arn or holder.arn)
        for holder in account.holders
        for held in holder.own
        if not held.is_managed_by_aws
        for each in entities.statements(held.document)
        if each.get("Effect") == "Allow" and "NotAction" in each
    )
    for name, arn in found:
        yield failed(f"{name} does.", arn)
    if not found:
        yield passed("None does.")
