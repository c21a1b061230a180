"""A password that nobody uses is taken away."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

DAYS = credential_report.UNUSED_DAYS


@check(
    "unused-passwords",
    title=f"No password is unused for {DAYS} days",
    topic="users",
    severity=CheckSeverity.MEDIUM,
    why="Nobody notices when a password that nobody uses is stolen.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Manage console access: Disable",
        "aws iam delete-login-profile --user-name NAME",
    ),
    maps={
        **cis(v1="1.12", v5="1.11", v6="2.11", v7="2.11"),
        "security-hub": ("IAM.22", "IAM.8"),
        "config": ("iam-user-unused-credentials-check",),
    },
)
def unused_passwords(view: View) -> Iterator[Verdict]:
    """Count from the last sign-in, or from when the password was set."""
    idle = [line for line in credential_report.users(view) if line.has_unused_password(view.at)]
    for line in idle:
        last = f"last used {line.password_used_at:%Y-%m-%d}" if line.password_used_at else "never used"
        yield failed(f"The password of {line.name} was {last}.", line.arn)
    if not idle:
        yield passed("None is.")
