"""No user is mistaken for root."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View

_NAMES = frozenset({"root", "<root_account>", "root_account", "rootuser"})


@check(
    "user-named-root",
    title="No user is named like root",
    topic="users",
    severity=CheckSeverity.LOW,
    why="Its events look like root's in many tools: root's are overlooked among them, or the other way round.",
    fix=Fix("IAM, Users: rename it", "aws iam update-user --user-name root --new-user-name NAME"),
)
def user_named_root(view: View) -> Iterator[Verdict]:
    """Look at names."""
    found = [user for user in entities.of(view).users if user.name.lower() in _NAMES]
    for user in found:
        yield failed(f"A user is named {user.name}.", user.arn)
    if not found:
        yield passed("None is.")
