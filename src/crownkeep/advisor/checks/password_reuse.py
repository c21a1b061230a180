"""An old password is not taken again."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import password_policies
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

LEAST = 24


@check(
    "password-reuse",
    title=f"The last {LEAST} passwords are not taken again",
    topic="password policy",
    severity=CheckSeverity.MEDIUM,
    why="A leaked password that may come back is as good as one that never went away.",
    fix=Fix(password_policies.CONSOLE, password_policies.CLI, password_policies.TERRAFORM),
    maps={**cis(v1="1.9", v5="1.8", v6="2.8", v7="2.9"), "security-hub": ("IAM.16",), "config": ("iam-password-policy",)},
)
def password_reuse(view: View) -> Iterator[Verdict]:
    """Read how many are remembered; none by default."""
    kept = password_policies.of(view).get("PasswordReusePrevention") or 0
    yield passed(f"{kept} are remembered.") if kept >= LEAST else failed(f"{kept or 'None'} are remembered.")
