"""People: who signs in, what they can prove it with, and the version of that, which every session is bound to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from crownkeep import ids
from crownkeep.operations.standing import ACTIVE
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.accounts import account_aliases, accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import login_profiles, mfa_devices
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person has to sign in with."""

    password_hash: str | None
    password_changed_at: datetime | None
    reset_required: bool
    devices: tuple[MfaDeviceRow, ...]
    version: bytes
    """A hash of the password's and the devices' identity: it changes when one of them does, and never comes back.

    Which password it is says a number that is stored with it, not its hash: that changes with Argon2's cost, and sessions would
    keep something by which passwords could be guessed at the cost of another day.
    """
    needs_mfa: bool = False
    """Whether this very user must have a second factor."""


def root_with_email(db: Transaction, email: str) -> Principal | None:
    """Return the root user with this e-mail address, of an account that is open."""
    return root_of(accounts.with_email(db, email)) if email else None


def root_of(account: AccountRow | None) -> Principal | None:
    """Return the root user of an account that is open."""
    if account is None or account.state != ACTIVE:
        return None
    return Principal(PrincipalKind.ROOT, account.account_id, account.account_id)


def account_named(db: Transaction, account: str) -> str | None:
    """Return the id of the open account that an id or an alias names."""
    account_id = account if ids.is_account_id(account) else account_aliases.account_with(db, account.lower())
    row = accounts.with_id(db, account_id) if account_id else None
    return row.account_id if row is not None and row.state == ACTIVE else None


def user_named(db: Transaction, account_id: str, name: str) -> Principal | None:
    """Return the user with this name."""
    row = users.named(db, account_id, name)
    return None if row is None else Principal(PrincipalKind.USER, account_id, row.user_id, row.name, row.path)


def credentials(db: Transaction, person: Principal) -> Credentials:
    """Return what a root user or a user has to sign in with; nothing for one that is gone, or of another kind."""
    match person.kind:
        case PrincipalKind.ROOT:
            account = accounts.with_id(db, person.account_id)
            if account is None:
                return _gathered(db, person)
            lineage = str(account.root_credential_version)
            return _gathered(db, person, account.root_password_hash, account.root_password_changed_at, lineage=lineage)
        case PrincipalKind.USER:
            profile = login_profiles.of_user(db, person.account_id, person.unique_id)
            if profile is None:
                return _gathered(db, person)
            lineage = str(profile.credential_version)
            found = _gathered(db, person, profile.password_hash, profile.changed_at, lineage=lineage)
            return replace(found, reset_required=profile.reset_required, needs_mfa=profile.needs_mfa)
        case _:
            return _gathered(db, person)


def renew_hash(db: Transaction, person: Principal, *, old: str, new: str) -> None:
    """Keep a hash of a person's same password at another cost: sessions stay. Nothing where the password has changed."""
    if person.kind is PrincipalKind.ROOT:
        accounts.renew_root_hash(db, person.account_id, old=old, new=new)
    else:
        login_profiles.renew_hash(db, person.account_id, person.unique_id, old=old, new=new)


def _gathered(
    db: Transaction,
    person: Principal,
    password_hash: str | None = None,
    changed_at: datetime | None = None,
    *,
    lineage: str = "",
) -> Credentials:
    devices = _devices(db, person)
    # A password or device that is taken away and given back is another one: the moments tell them apart. The empty part stands
    # where the hash once did: sessions of before that step of the schema, of people without a password, go on.
    parts = [person.unique_id, lineage, "", str(changed_at)]
    parts += sorted(f"{each.device_id} {each.enabled_at}" for each in devices)
    version = hashlib.sha256("\n".join(parts).encode()).digest()
    return Credentials(password_hash, changed_at, reset_required=False, devices=devices, version=version)


def _devices(db: Transaction, person: Principal) -> tuple[MfaDeviceRow, ...]:
    if person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER):
        return ()
    return tuple(mfa_devices.of_owner(db, person.account_id, person.unique_id))
