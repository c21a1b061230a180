"""Passwords are long."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

LEAST = 14


@check(
    "password-length",
    title=f"Passwords have at least {LEAST} characters",
    topic="password policy",
    severity=CheckSeverity.HIGH,
    why="A short password is guessed, and one of them is enough.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={**cis(v1="1.8", v5="1.7", v6="2.7", v7="2.8"), "security-hub": ("IAM.15",), "config": ("iam-password-policy",)},
)
def password_length(view: View) -> Iterator[Verdict]:
    """Read the least length; AWS's default is 8."""
    length = password_policies.of(view).get("MinimumPasswordLength", 8)
    yield passed(f"They have {length} or more.") if length >= LEAST else failed(f"{length} are enough.")
