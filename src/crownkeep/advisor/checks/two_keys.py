"""Nobody keeps two keys."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "two-keys",
    title="Nobody has two active access keys",
    topic="users",
    severity=CheckSeverity.LOW,
    why="The second key is for the hour of a rotation; one that stays is forgotten.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Access keys: deactivate the older one",
        "aws iam update-access-key --user-name NAME --access-key-id ID --status Inactive",
    ),
    maps=cis(v1="1.13", v5="1.12", v6="2.12"),
)
def two_keys(view: View) -> Iterator[Verdict]:
    """Count active keys."""
    both = [line for line in credential_report.users(view) if len(line.active_keys) > 1]
    for line in both:
        yield failed(f"{line.name} has two active keys.", line.arn)
    if not both:
        yield passed("Nobody has.")
