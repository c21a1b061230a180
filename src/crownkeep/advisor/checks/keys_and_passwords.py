"""People and programs are not one user."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "keys-and-passwords",
    title="No user has both a password and an access key",
    topic="users",
    severity=CheckSeverity.LOW,
    why="A person's key lasts for ever and never asks for MFA; people sign command lines in, and programs have roles.",
    fix=Fix(
        "Sign the command line in with `aws login` or `crownkeep login`, then delete the key",
        "aws iam delete-access-key --user-name NAME --access-key-id ID",
    ),
)
def keys_and_passwords(view: View) -> Iterator[Verdict]:
    """Read the report's lines."""
    both = [line for line in credential_report.users(view) if line.has_password and line.active_keys]
    for line in both:
        yield failed(f"{line.name} has both.", line.arn)
    if not both:
        yield passed("None has.")
