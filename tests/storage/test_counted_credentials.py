"""Counting credentials is quick, and comes to what a reader of the credential reports would count."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crownkeep.advisor import credential_report
from crownkeep.credentials.credential_ages import OLD_DAYS, UNUSED_DAYS
from crownkeep.domain.credentials import counted_credentials, reported_credentials
from crownkeep.domain.credentials.counted_credentials import CountedCredentials
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices, root_login_profiles
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.reports.credential_totals import CredentialsOfAccount

NOW = datetime(2026, 11, 30, 12, 0, 0, 500_000, tzinfo=UTC)
LIMITS = [timedelta(0), *(timedelta(days=days) for days in (UNUSED_DAYS, OLD_DAYS))]
STEPS = [timedelta(microseconds=step) for step in (-1_000_001, -500_001, -1, 0, 1, 499_999, 500_000, 1_000_000)]
"""Around a limit: reports have whole seconds, and the database microseconds."""
moments = st.builds(
    lambda limit, step: NOW - limit - abs(step) if limit == LIMITS[0] else NOW - limit + step,
    *map(st.sampled_from, (LIMITS, STEPS)),
)
maybe = st.none() | moments
keys = st.tuples(st.sampled_from(["Active", "Inactive"]), moments, maybe)
devices = st.sampled_from(["", "arn:aws:iam::1:mfa/", "arn:aws:identitystore:::"])
owners = st.fixed_dictionaries(
    {"password": maybe, "password_used": maybe, "keys": st.lists(keys, max_size=2), "device": devices, "allowed": maybe}
)
Owner = dict[str, Any]
_numbers = itertools.count(1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(root=owners, people=st.lists(owners, max_size=4))
def test_counts_are_those_of_the_reports(database: Database, root: Owner, people: list[Owner]):
    account_id, nobody = f"{next(_numbers):012}", "9" * 12
    with database.transaction() as db:
        furnish(db, account_id, root, people)

        counted = counted_credentials.of_accounts(db, [account_id, nobody], now=NOW)

        assert read(db, account_id) == counted[account_id]
        assert CountedCredentials(0, CredentialsOfAccount(nobody, 0, 0, 0, 0, 0, root_can_sign_in=False)) == counted[nobody]


def read(db: Transaction, account_id: str) -> CountedCredentials:
    """Count the lines of the account's report."""
    lines = credential_report.read(reported_credentials.content(db, account_id).decode())
    held = CredentialsOfAccount(
        account_id,
        passwords=sum(each.has_password for each in lines),
        without_mfa=sum(each.lacks_mfa for each in lines),
        active_keys=sum(len(each.active_keys) for each in lines),
        with_old=sum(each.has_old(NOW) for each in lines),
        with_unused=sum(each.has_unused(NOW) for each in lines),
        root_can_sign_in=any(each.is_root and each.can_sign_in for each in lines),
    )
    return CountedCredentials(sum(not each.is_root for each in lines), held)


def furnish(db: Transaction, account_id: str, root: Owner, people: list[Owner]) -> None:
    """Make an account with these users."""
    has_password = root["password"] is not None
    row = AccountRow(
        account_id, "a", f"{account_id}@x.example", f"{account_id}@x.example", "ACTIVE", NOW, None, 1, None, None, None, 0
    )
    accounts.add(
        db, replace(row, root_password_hash="$none$" if has_password else None, root_password_changed_at=root["password"])
    )
    if root["allowed"] is not None:
        root_login_profiles.allow(db, account_id, at=root["allowed"])
    hold(db, account_id, account_id, root)
    for number, person in enumerate(people):
        user_id = f"AIDA{account_id}{number}"
        users.add(db, UserRow(user_id, account_id, f"u{number}", f"u{number}", "/", NOW, None, person["password_used"]))
        if person["password"] is not None:
            made = person["password"]
            login_profiles.add(db, LoginProfileRow(user_id, account_id, "$none$", (), made, made, reset_required=False))
        hold(db, account_id, user_id, person)


def hold(db: Transaction, account_id: str, owner_id: str, owner: Owner) -> None:
    """Give a user or root its keys and its device."""
    for number, (status, made, used) in enumerate(owner["keys"]):
        key_id = f"AKIA{owner_id}{number}"
        access_keys.add(db, AccessKeyRow(key_id, account_id, owner_id, b"none", status, made, used, None, None))
    if owner["device"]:
        serial = f"{owner['device']}{owner_id}"
        device = MfaDeviceRow(f"M{owner_id}", account_id, DeviceKind.VIRTUAL, serial, "m", "/", NOW, owner_id, NOW)
        mfa_devices.add(db, device)
