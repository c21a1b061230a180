"""No program runs as root."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from crownkeep.advisor import credential_report
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import CannotTell, View

DAYS = 90


@check(
    "root-key-use",
    title="No program runs with a key of root",
    topic="root",
    severity=CheckSeverity.CRITICAL,
    why="A program that runs as root can be made to do anything, and stops when the key is taken away at last.",
    fix=Fix("Find the program by the events of root; give it a role or a user of its own; then delete root's key."),
)
def root_key_use(view: View) -> Iterator[Verdict]:
    """Read when root's active keys were used last."""
    line = credential_report.root(view)
    if line is None:
        raise CannotTell("the credential report has no line for root")
    used = [key.used_at for key in line.active_keys if key.used_at is not None]
    if used and view.at - max(used) <= timedelta(days=DAYS):
        yield failed(f"A key of root was used {max(used):%Y-%m-%d %H:%M} UTC.")
    else:
        yield passed(f"No key of root was used in the last {DAYS} days.")
