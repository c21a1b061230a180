"""Nobody got a key only because a form offered one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

_AT_ONCE = timedelta(minutes=1)


@check(
    "keys-at-setup",
    title="No user with a password has an unused key from the day it was made",
    topic="users",
    severity=CheckSeverity.LOW,
    why="A key that was made with the user, beside a password, and never used, was never needed.",
    fix=Fix(
        "IAM, Users, the user, Security credentials, Access keys: delete it",
        "aws iam delete-access-key --user-name NAME --access-key-id ID",
    ),
    maps=cis(v1="1.11", v5="1.10", v6="2.10"),
)
def keys_at_setup(view: View) -> Iterator[Verdict]:
    """Compare when the user and the key were made."""
    # The console's form made user and key by two calls: within a minute is together.
    found = [
        (line, key)
        for line in credential_report.users(view)
        for key in line.active_keys
        if line.has_password and key.used_at is None and key.made_at is not None and key.made_at - line.made_at <= _AT_ONCE
    ]
    for line, key in found:
        yield failed(f"Key {key.number} of {line.name} was made with the user and never used.", line.arn)
    if not found:
        yield passed("None has.")
