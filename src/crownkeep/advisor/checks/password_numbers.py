"""Passwords need a digit."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check
from crownkeep.advisor.view import View


@check(
    "password-numbers",
    title="Passwords need a digit",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="Each kind of character that is asked for makes guessing longer.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={"security-hub": ("IAM.14",), "config": ("iam-password-policy",)},
)
def password_numbers(view: View) -> Iterator[Verdict]:
    """Fail where the password policy lets passwords have no digit."""
    return password_policies.requires(view, "RequireNumbers", "a digit")
