"""Passwords need an upper-case letter."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check
from crownkeep.advisor.view import View


@check(
    "password-uppercase",
    title="Passwords need an upper-case letter",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="Each kind of character that is asked for makes guessing longer.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={"security-hub": ("IAM.11",), "config": ("iam-password-policy",)},
)
def password_uppercase(view: View) -> Iterator[Verdict]:
    """Fail where the password policy lets passwords have no upper-case letter."""
    return password_policies.requires(view, "RequireUppercaseCharacters", "an upper-case letter")
