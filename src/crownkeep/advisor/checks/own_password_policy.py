"""The account has a password policy of its own."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "password-policy",
    title="The account has a password policy of its own",
    topic="password policy",
    severity=CheckSeverity.HIGH,
    why="AWS's default asks for eight characters and never for another password.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={"security-hub": ("IAM.7",), "config": ("iam-password-policy",), "trusted-advisor": ("Yw2K9puPzl",)},
)
def password_policy(view: View) -> Iterator[Verdict]:
    """Ask for the policy; AWS says NoSuchEntity where its default holds."""
    yield passed("It has one.") if password_policies.of(view) else failed("AWS's default holds.")
