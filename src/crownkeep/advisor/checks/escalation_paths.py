"""Nobody can make itself an administrator."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import escalation, permissions
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import View


@check(
    "escalation-paths",
    title="Nobody who is no administrator can become one",
    topic="permissions",
    severity=CheckSeverity.CRITICAL,
    why="A permission to change permissions is every permission, with one more step.",
    fix=Fix(
        "IAM, Users or Roles, Permissions: take the action away, name its resources, or set a permissions boundary",
        "aws iam put-user-permissions-boundary --user-name NAME --permissions-boundary ARN",
        'resource "aws_iam_policy", permissions_boundary',
    ),
)
def escalation_paths(view: View) -> Iterator[Verdict]:
    """Follow, by the engine that enforces, every step from somebody to an administrator, and show the shortest."""
    found = escalation.paths(permissions.actors(view), view)
    for path in found:
        yield failed(path.text, path.arn)
    if not found:
        yield passed("Nobody can, by the ways that are known here.")
