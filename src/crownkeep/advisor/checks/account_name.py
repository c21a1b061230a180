"""The sign-in address can't be guessed."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View

_GUESSED = frozenset(
    {
        *("admin", "administrator", "root", "aws", "account", "my-account", "company", "my-company", "default", "main", "master"),
        *("prod", "production", "dev", "development", "test", "testing", "stage", "staging", "sandbox", "demo", "backup"),
        *("security", "audit", "logging", "log-archive", "management", "shared"),
    }
)


@check(
    "account-name",
    title="The account's alias can't be guessed",
    topic="account",
    severity=CheckSeverity.LOW,
    why="An alias that anybody would try shows strangers the page where they can try passwords.",
    fix=Fix("IAM, Dashboard, Account Alias, Edit", "aws iam create-account-alias --account-alias ALIAS"),
)
def account_name(view: View) -> Iterator[Verdict]:
    """Compare with what anybody would try; an alias that is the account's own name in full is judged, too."""
    found = view.get(calls.ALIASES)["AccountAliases"]
    if not found:
        raise DoesNotApply("The account has no alias.")
    alias = found[0].lower()
    if alias in _GUESSED or alias.rstrip("0123456789-") in _GUESSED:
        yield failed(f"{found[0]} is among the first that are tried.")
    else:
        yield passed(f"{found[0]} is not among the first that are tried.")
