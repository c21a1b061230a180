"""A key that nobody uses is taken away."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

DAYS = credential_report.UNUSED_DAYS


@check(
    "unused-keys",
    title=f"No access key is unused for {DAYS} days",
    topic="users",
    severity=CheckSeverity.MEDIUM,
    why="Nobody notices when a key that nobody uses is stolen.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Access keys: Deactivate",
        "aws iam update-access-key --user-name NAME --access-key-id ID --status Inactive",
    ),
    maps={
        **cis(v1="1.12", v5="1.11", v6="2.11", v7="2.11"),
        "security-hub": ("IAM.22", "IAM.8"),
        "config": ("iam-user-unused-credentials-check",),
    },
)
def unused_keys(view: View) -> Iterator[Verdict]:
    """Count from the last use, or from when the key was made."""
    is_clean = True
    for line in credential_report.users(view):
        for key in line.unused_keys(view.at):
            is_clean = False
            last = f"last used {key.used_at:%Y-%m-%d}" if key.used_at else "never used"
            yield failed(f"Key {key.number} of {line.name} was {last}.", line.arn)
    if is_clean:
        yield passed("None is.")
