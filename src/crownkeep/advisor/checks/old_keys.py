"""Keys are rotated."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

DAYS = credential_report.OLD_DAYS


@check(
    "old-keys",
    title=f"No access key is older than {DAYS} days",
    topic="users",
    severity=CheckSeverity.MEDIUM,
    why="A copy of an old key may lie anywhere: in a history, in a backup, in the hands of somebody who left.",
    fix=Fix(
        "IAM, Users, the user, Security credentials: create a second key, move programs to it, delete the first; "
        "better a role and no key",
        "aws iam create-access-key --user-name NAME; aws iam delete-access-key --user-name NAME --access-key-id ID",
    ),
    maps={
        **cis(v1="1.14", v5="1.13", v6="2.13", v7="2.12"),
        "security-hub": ("IAM.3",),
        "config": ("access-keys-rotated",),
        "trusted-advisor": ("DqdJqYeRm5",),
    },
)
def old_keys(view: View) -> Iterator[Verdict]:
    """Read when each active key was made."""
    is_clean = True
    for line in credential_report.users(view):
        for key in line.old_keys(view.at):
            is_clean = False
            yield failed(f"Key {key.number} of {line.name} was made {key.made_at:%Y-%m-%d}.", line.arn)
    if is_clean:
        yield passed("None is.")
