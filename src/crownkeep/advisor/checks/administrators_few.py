"""Few may do everything."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import permissions
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View

MOST = 5


@check(
    "administrators-few",
    title=f"No more than {MOST} users may do everything",
    topic="users",
    severity=CheckSeverity.MEDIUM,
    why="Each administrator is one more way to lose the account.",
    fix=Fix(
        "IAM, Users: take AdministratorAccess from those who don't need it; give them a role to take on for an hour",
        "aws iam detach-user-policy --user-name NAME --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
    ),
)
def administrators_few(view: View) -> Iterator[Verdict]:
    """Count users whom the engine finds to be administrators."""
    found = permissions.actors(view)
    count = sum(permissions.is_administrator(each) for each in found.users)
    yield failed(f"{count} users may.") if count > MOST else passed(f"{count} may.")
