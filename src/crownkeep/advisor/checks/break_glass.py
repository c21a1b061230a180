"""There is a way in when the usual one is broken."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report, permissions
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "break-glass",
    title="Two administrators can sign in with MFA, or one and root",
    topic="users",
    severity=CheckSeverity.MEDIUM,
    why="When the identity provider is down or a phone is lost, somebody must still get in without weakening anything.",
    fix=Fix("Make a second administrator whose security key lies in a safe; try it every quarter."),
)
def break_glass(view: View) -> Iterator[Verdict]:
    """Count administrators with a password and MFA; root counts where it has both."""
    lines = {line.arn: line for line in credential_report.users(view)}
    people = [each for each in permissions.actors(view).users if permissions.is_administrator(each)]
    ready = [each.name for each in people if each.arn in lines and lines[each.arn].has_password and lines[each.arn].has_mfa]
    # Root counts as one of the two: it is the way that no policy of the account can close.
    root = credential_report.root(view)
    if root is not None and root.has_password and root.has_mfa:
        ready.append("root")
    if len(ready) >= 2:
        yield passed(f"{', '.join(ready[:3])} can.")
    else:
        yield failed(f"Only {ready[0]} can." if ready else "Nobody can.")
