"""Passwords expire."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View

MOST = 90


@check(
    "password-age",
    title=f"Passwords expire after {MOST} days at the latest",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="Catalogues ask for it. Where MFA and breached-password checks are in force it adds little: accept the finding then.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={"security-hub": ("IAM.17",), "config": ("iam-password-policy",)},
)
def password_age(view: View) -> Iterator[Verdict]:
    """Read when they expire; never by default."""
    days = password_policies.of(view).get("MaxPasswordAge") or 0
    if 0 < days <= MOST:
        yield passed(f"They expire after {days} days.")
    else:
        yield failed(f"They expire after {days} days." if days else "They never expire.")
