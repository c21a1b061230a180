"""An expired password locks nobody out."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "password-lockout",
    title="An expired password locks nobody out",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="With hard expiry the last administrator may be locked out by the calendar, and root is asked to help.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
)
def password_lockout(view: View) -> Iterator[Verdict]:
    """Fail where the password policy has hard expiry."""
    if password_policies.of(view).get("HardExpiry"):
        yield failed("Whoever's password has expired must ask an administrator.")
    else:
        yield passed("Whoever's password has expired sets another at the next sign-in.")
