"""Counts of an account's credentials: who has a second factor, and what is older than it should be."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.advisor import credential_report
from crownkeep.advisor.credential_report import OLD_DAYS, is_past
from crownkeep.advisor.evidence import Evidence
from crownkeep.advisor.view import CannotTell, View


@dataclass(frozen=True, slots=True)
class CredentialCounts:
    """How many there are of each, root's among them."""

    passwords: int
    passwords_with_mfa: int
    credentials: int
    """Passwords and active access keys whose age is known."""
    old_credentials: int
    """Those of them that are `OLD_DAYS` old or older."""


def of(evidence: Evidence) -> CredentialCounts | None:
    """Count what the credential report lists; None where it could not be read."""
    view = View(evidence)
    try:
        lines = credential_report.lines(view)
    except CannotTell:
        return None
    with_password = [line for line in lines if line.has_password]
    made = [line.password_changed_at for line in with_password]
    made += [key.made_at for line in lines for key in line.active_keys]
    known = [each for each in made if each is not None]
    return CredentialCounts(
        passwords=len(with_password),
        passwords_with_mfa=sum(line.has_mfa for line in with_password),
        credentials=len(known),
        old_credentials=sum(is_past(each, OLD_DAYS, view.at) for each in known),
    )
