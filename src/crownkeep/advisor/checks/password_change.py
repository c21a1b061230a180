"""Users can change their own passwords."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "password-change",
    title="Users can change their own passwords",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="People who can't change a password that somebody saw keep using it.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
)
def password_change(view: View) -> Iterator[Verdict]:
    """Read the policy; without one users can't, unless their own policies say so."""
    if password_policies.of(view).get("AllowUsersToChangePassword"):
        yield passed("They can.")
    else:
        yield failed("They can't, unless a policy of their own lets them.")
