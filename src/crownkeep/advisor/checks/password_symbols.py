"""Passwords need a symbol."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check
from crownkeep.advisor.view import View


@check(
    "password-symbols",
    title="Passwords need a symbol",
    topic="password policy",
    severity=CheckSeverity.LOW,
    why="Each kind of character that is asked for makes guessing longer.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={"security-hub": ("IAM.13",), "config": ("iam-password-policy",)},
)
def password_symbols(view: View) -> Iterator[Verdict]:
    """Fail where the password policy lets passwords have no symbol."""
    return password_policies.requires(view, "RequireSymbols", "a symbol")
