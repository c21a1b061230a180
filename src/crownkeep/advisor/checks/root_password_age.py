"""Root's password is not an old one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import CannotTell, DoesNotApply, View

DAYS = 365


@check(
    "root-password-age",
    title="Root's password was changed within a year",
    topic="root",
    severity=CheckSeverity.LOW,
    why="Nobody remembers who knew an old password, or where it was written down.",
    fix=Fix("Sign in as root; Account, Password, Edit."),
)
def root_password_age(view: View) -> Iterator[Verdict]:
    """Read root's line of the credential report; AWS often leaves the time out."""
    line = credential_report.root(view)
    if line is None:
        raise CannotTell("the credential report has no line for root")
    if line.password_changed_at is None:
        if line.has_password:
            raise CannotTell("the credential report does not say when root's password was changed")
        raise DoesNotApply("The credential report has no password of root.")
    said = f"Root's password was changed {line.password_changed_at:%Y-%m-%d}."
    yield failed(said) if view.at - line.password_changed_at > timedelta(days=DAYS) else passed(said)
