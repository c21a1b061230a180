"""Root has no access keys."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View


@check(
    "root-access-keys",
    title="Root has no access keys",
    topic="root",
    severity=CheckSeverity.CRITICAL,
    why="A key of root can't be limited, and whoever finds it owns the account.",
    fix=Fix(
        "Sign in as root; Security credentials, Access keys: deactivate each, wait, delete. A member of an organization: let its "
        "management account delete them in a session of AssumeRoot with the task IAMDeleteRootUserCredentials.",
        "In that session: aws iam list-access-keys; aws iam delete-access-key --access-key-id ID (with no user's name)",
    ),
    maps={
        **cis(v1="1.4", v5="1.3", v6="2.3", v7="2.4"),
        "security-hub": ("IAM.4",),
        "config": ("iam-root-access-key-check",),
    },
)
def root_access_keys(view: View) -> Iterator[Verdict]:
    """Look whether there are any, also where root is managed centrally: switching that on removes none."""
    if view.get(calls.SUMMARY)["SummaryMap"]["AccountAccessKeysPresent"]:
        yield failed("Root has an access key.")
    else:
        yield passed("Root has none.")
