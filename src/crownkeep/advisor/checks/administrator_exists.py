"""Somebody other than root can administer the account."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import entities, permissions
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "administrator-exists",
    title="An administrator other than root exists",
    topic="users",
    severity=CheckSeverity.HIGH,
    why="Root should be left alone; daily work needs an administrator with a name of its own.",
    fix=Fix(
        "IAM, Users, Create user, AdministratorAccess; better a role for people who sign in by an identity provider",
        "aws iam create-user --user-name NAME; aws iam attach-user-policy --user-name NAME "
        "--policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
        'resource "aws_iam_user_policy_attachment"',
    ),
    maps={**cis(v1="1.7", v5="1.6", v6="2.6", v7="2.7"), "trusted-advisor": ("zXCkfM1nI3",)},
)
def administrator_exists(view: View) -> Iterator[Verdict]:
    """Ask the engine who may do everything: by a policy of any name, and by groups."""
    found = permissions.actors(view)
    people = [each.name for each in found.administrators if each in found.users]
    roles = [
        role.name
        for role in entities.of(view).roles
        if any(each.arn == role.arn for each in found.administrators) and _is_for_people(role)
    ]
    if people or roles:
        names = [*people, *(f"role {name}" for name in roles)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield passed(f"{', '.join(names[:3])}{more} may do everything.")
    else:
        yield failed("No user, and no role that people take on, may do everything.")


def _is_for_people(role: entities.Role) -> bool:
    # A role that services alone take on administers for nobody who could repair the account.
    """Tell whether somebody who is no AWS service takes this role on."""
    principals = [each.get("Principal") for each in entities.statements(role.trust) if each.get("Effect") == "Allow"]
    return any(each == "*" or (isinstance(each, dict) and ({"AWS", "Federated"} & each.keys())) for each in principals)
