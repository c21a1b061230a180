"""Root signs in with MFA."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.root import has_credentials
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "root-mfa",
    title="Root signs in with MFA",
    topic="root",
    severity=CheckSeverity.CRITICAL,
    why="Root can't be limited: its password alone would open everything there is.",
    fix=Fix("Sign in as root; Security credentials, Assign MFA device. Only root can do it."),
    maps={
        **cis(v1="1.5", v5="1.4", v6="2.4", v7="2.5"),
        "security-hub": ("IAM.9",),
        "config": ("root-account-mfa-enabled",),
        "trusted-advisor": ("7DAFEmoDos",),
    },
)
def root_mfa(view: View) -> Iterator[Verdict]:
    """Read the account's summary, which is never stale, rather than the credential report, which may be four hours old."""
    if view.get(calls.SUMMARY)["SummaryMap"]["AccountMFAEnabled"]:
        yield passed("Root has an MFA device.")
    elif not has_credentials(view):
        raise DoesNotApply("Root has neither a password nor keys: there is nothing to protect by MFA.")
    else:
        yield failed("Root has no MFA device.")
