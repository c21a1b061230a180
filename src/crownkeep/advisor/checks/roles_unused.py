"""A role that nobody takes on is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from crownkeep.advisor import trusts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.evidence import moment
from crownkeep.advisor.view import View

DAYS = 90


@check(
    "roles-unused",
    title=f"No role is unused for {DAYS} days",
    topic="roles",
    severity=CheckSeverity.LOW,
    why="Nobody notices when a role that nobody needs is taken on.",
    fix=Fix(
        "IAM, Roles, the role, Delete",
        "aws iam delete-role --role-name NAME",
    ),
)
def roles_unused(view: View) -> Iterator[Verdict]:
    """Count from the last use, or from when the role was made."""
    is_clean = True
    for role in trusts.roles(view):
        # Never used counts from when it was made: a role of yesterday is not unused.
        last = role.used_at or role.made_at
        if last and view.at - moment(last) > timedelta(days=DAYS):
            is_clean = False
            said = f"last used {role.used_at[:10]}" if role.used_at else f"never used since {role.made_at[:10]}"
            yield failed(f"{role.name} was {said}.", role.arn)
    if is_clean:
        yield passed("None is.")
