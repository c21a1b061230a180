"""The credentials of many accounts, counted: the figures of their credential reports, without writing the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.credentials.credential_ages import OLD_DAYS, UNUSED_DAYS
from crownkeep.storage.database import Transaction
from crownkeep.storage.reports import credential_totals
from crownkeep.storage.reports.credential_totals import CredentialsOfAccount


@dataclass(frozen=True, slots=True)
class CountedCredentials:
    """One account's users and credentials."""

    users: int
    held: CredentialsOfAccount


def of_accounts(db: Transaction, account_ids: Sequence[str], *, now: datetime) -> Mapping[str, CountedCredentials]:
    """Return what each of these accounts has; an account that doesn't exist has nothing."""
    if not account_ids:
        return {}
    limits = {"old_before": _after(now, OLD_DAYS), "unused_before": _after(now, UNUSED_DAYS)}
    held = credential_totals.counted(db, account_ids, **limits)
    users = credential_totals.user_counts(db, account_ids)
    nothing = {each: CredentialsOfAccount(each, 0, 0, 0, 0, 0, root_can_sign_in=False) for each in account_ids}
    return {each: CountedCredentials(users.get(each, 0), held.get(each, nothing[each])) for each in account_ids}


def _after(now: datetime, days: int) -> datetime:
    # A report has whole seconds: what is younger than this by a part of a second counts as that old there.
    return (now - timedelta(days=days)).replace(microsecond=0) + timedelta(seconds=1)
