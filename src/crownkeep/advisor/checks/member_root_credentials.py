"""A member's root user has no credentials where they are managed centrally."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.root import has_password
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "member-root-credentials",
    title="This member's root user has no credentials left",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="Switching central management on removes nothing: a password or key that was there before still works.",
    fix=Fix(
        "In the management account: IAM, Root access management, the account, Delete root user credentials",
        "aws sts assume-root --target-principal ID "
        "--task-policy-arn arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials; "
        "then delete-login-profile, delete-access-key and deactivate-mfa-device in that session, with no user's name",
    ),
    maps=cis(v7="2.1.1"),
)
def member_root_credentials(view: View) -> Iterator[Verdict]:
    """Look for what is left, whether or not central management is on."""
    # Nobody can take root on in the management account, so there it is the last way in.
    if organization.is_led(view):
        raise DoesNotApply("The management account keeps its root user.")
    summary = view.get(calls.SUMMARY)["SummaryMap"]
    left = [
        what
        for what, there in (
            ("an access key", summary["AccountAccessKeysPresent"]),
            ("MFA", summary["AccountMFAEnabled"]),
            ("a password", has_password(view)),
        )
        if there
    ]
    yield failed(f"Root has {', '.join(left)}.") if left else passed("Root has neither a password nor keys nor MFA.")
