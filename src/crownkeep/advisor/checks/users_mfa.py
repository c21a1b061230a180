"""Everybody with a password has MFA."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "users-mfa",
    title="Every user with a password has MFA",
    topic="users",
    severity=CheckSeverity.HIGH,
    why="Passwords leak, are guessed and are used twice.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Assign MFA device; the user has to be there",
        "aws iam enable-mfa-device --user-name NAME --serial-number ARN --authentication-code1 CODE --authentication-code2 CODE",
    ),
    maps={
        **cis(v1="1.10", v5="1.9", v6="2.9", v7="2.10"),
        "security-hub": ("IAM.5", "IAM.19"),
        "config": ("mfa-enabled-for-iam-console-access", "iam-user-mfa-enabled"),
    },
)
def users_mfa(view: View) -> Iterator[Verdict]:
    """Read the report's lines, root's left out: users who have keys alone have nothing to type a code into."""
    with_password = [line for line in credential_report.users(view) if line.has_password]
    if not with_password:
        raise DoesNotApply("No user has a password.")
    bare = [line for line in with_password if line.lacks_mfa]
    for line in bare:
        yield failed(f"{line.name} signs in with a password alone.", line.arn)
    if not bare:
        yield passed(f"All {len(with_password)} have MFA.")
