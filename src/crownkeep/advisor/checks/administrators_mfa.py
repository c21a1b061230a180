"""Every administrator has MFA."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report, permissions
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "administrators-mfa",
    title="Every administrator with a password has MFA",
    topic="users",
    severity=CheckSeverity.CRITICAL,
    why="An administrator's password alone opens all that root's would.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Assign MFA device; the user has to be there",
        "aws iam enable-mfa-device --user-name NAME --serial-number ARN --authentication-code1 CODE --authentication-code2 CODE",
    ),
    maps={**cis(v1="1.10", v5="1.9", v6="2.9", v7="2.10"), "security-hub": ("IAM.5",)},
)
def administrators_mfa(view: View) -> Iterator[Verdict]:
    """Hold the engine's administrators against the credential report."""
    lines = {line.arn: line for line in credential_report.users(view)}
    found = permissions.actors(view)
    people = [each for each in found.users if permissions.is_administrator(each)]
    # Whoever has keys alone is no concern of this check: their MFA is what policies ask for, and not the sign-in page.
    signing_in = [each for each in people if each.arn in lines and lines[each.arn].has_password]
    if not signing_in:
        raise DoesNotApply("No administrator has a password.")
    for each in signing_in:
        if lines[each.arn].has_mfa:
            yield passed(f"{each.name} has MFA.", each.arn)
        else:
            yield failed(f"{each.name} signs in with a password alone.", each.arn)
