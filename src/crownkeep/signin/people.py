"""People: who signs in, what they can prove it with, and the version of that, which every session is bound to."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from crownkeep import ids
from crownkeep.operations.standing import ACTIVE
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.accounts import account_aliases, accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import login_profiles, mfa_devices
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.single_sign_on import directory_users, external_providers, instances, person_credentials
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_START = re.compile(r"[a-z0-9-]{1,40}")


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
    max_sign_in_seconds: int | None = None
    """How long this very user's sessions last; None where that isn't set."""


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


def instance_named(db: Transaction, start: str) -> InstanceRow | None:
    """Return the instance of single sign-on that a start URL names, by its identity store or its own id; of an open account."""
    # Anybody writes start URLs, and PostgreSQL takes no text with a null character in it.
    if not _START.fullmatch(start):
        return None
    row = instances.with_store(db, start) or instances.with_id(db, start)
    return None if row is None else instance_of(db, row.account_id)


def instance_of(db: Transaction, account_id: str) -> InstanceRow | None:
    """Return the instance of single sign-on that an account owns, where the account is open."""
    account = accounts.with_id(db, account_id)
    return instances.of_account(db, account_id) if account is not None and account.state == ACTIVE else None


def person_of(instance: InstanceRow, user: DirectoryUserRow) -> Principal:
    """Return somebody in an identity store as who signs in."""
    unique_id, path = UUID(user.user_id).hex, f"/{instance.identity_store_id}/"
    return Principal(PrincipalKind.PERSON, instance.account_id, unique_id, user.user_name, path)


def person_with_id(db: Transaction, instance: InstanceRow, owner_id: str) -> Principal | None:
    """Return the person whose id this is, without hyphens; None for one who may not sign in."""
    user = directory_users.with_id(db, instance.identity_store_id, person_id(owner_id))
    return None if user is None or not user.is_active else person_of(instance, user)


def person_id(owner_id: str) -> str:
    """Return the id of a person as the identity store spells it."""
    return str(UUID(owner_id))


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
            return replace(
                found,
                reset_required=profile.reset_required,
                needs_mfa=profile.needs_mfa,
                max_sign_in_seconds=profile.max_sign_in_seconds,
            )
        case PrincipalKind.PERSON:
            if is_disabled(db, person):
                # Another version than before: every session, sign-in under way and link of theirs is void.
                return _gathered(db, person, lineage="disabled")
            provider_id = external_providers.id_of_store(db, person.path.strip("/"))
            if provider_id:
                # What they have here opens nothing while a provider signs them in; what was begun with it is void.
                version = hashlib.sha256(f"{person.unique_id}\nprovider {provider_id}".encode()).digest()
                return Credentials(None, None, reset_required=False, devices=(), version=version)
            kept = person_credentials.of_owner(db, person.account_id, person.unique_id)
            if kept is None:
                return _gathered(db, person)
            found = _gathered(db, person, kept.password_hash, kept.changed_at, lineage=str(kept.credential_version))
            return replace(found, reset_required=kept.reset_required)
        case _:
            return _gathered(db, person)


def is_disabled(db: Transaction, person: Principal) -> bool:
    """Tell whether somebody in an identity store may not sign in, or is gone."""
    row = directory_users.with_id(db, person.path.strip("/"), person.person_id)
    return row is None or not row.is_active


def renew_hash(db: Transaction, person: Principal, *, old: str, new: str) -> None:
    """Keep a hash of a person's same password at another cost: sessions stay. Nothing where the password has changed."""
    if person.kind is PrincipalKind.ROOT:
        accounts.renew_root_hash(db, person.account_id, old=old, new=new)
    elif person.kind is PrincipalKind.PERSON:
        person_credentials.renew_hash(db, person.account_id, person.unique_id, old=old, new=new)
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
    if person.kind not in (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.PERSON):
        return ()
    return tuple(mfa_devices.of_owner(db, person.account_id, person.unique_id))
