"""Root has no signing certificates."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import CannotTell, View


@check(
    "root-signing-certificates",
    title="Root has no signing certificates",
    topic="root",
    severity=CheckSeverity.HIGH,
    why="A signing certificate signs requests of old APIs with all of root's power, and is easily forgotten.",
    fix=Fix("Sign in as root; Security credentials, X.509 signing certificates: deactivate and delete."),
)
def root_signing_certificates(view: View) -> Iterator[Verdict]:
    """Read the account's summary."""
    present = view.get(calls.SUMMARY)["SummaryMap"].get("AccountSigningCertificatesPresent")
    if present is None:
        raise CannotTell("the account's summary does not say it")
    yield failed("Root has a signing certificate.") if present else passed("Root has none.")
