"""Every credential of an account, whatever its kind: what it is, whose, how old and whether it is used; no secret is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, bindparam, literal, null, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import (
    access_keys,
    login_profiles,
    mfa_devices,
    service_credentials,
    signing_certificates,
    ssh_public_keys,
)
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.metadata import AccountId, Moment
from crownkeep.storage.rows import RowQuery

PASSWORD = "PASSWORD"
MFA_DEVICE = "MFA_DEVICE"
ACCESS_KEY = "ACCESS_KEY"
SIGNING_CERTIFICATE = "SIGNING_CERTIFICATE"
SSH_PUBLIC_KEY = "SSH_PUBLIC_KEY"
SERVICE_CREDENTIAL = "SERVICE_CREDENTIAL"
KINDS = (PASSWORD, MFA_DEVICE, ACCESS_KEY, SIGNING_CERTIFICATE, SSH_PUBLIC_KEY, SERVICE_CREDENTIAL)
ACTIVE = "Active"


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """One credential. `key` is its own id, which nothing else ever gets; `identifier` what IAM's operations call it."""

    kind: str
    owner_id: str
    key: str
    identifier: str
    status: str
    created_at: datetime | None
    changed_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Query:
    """The queries of one kind."""

    of_account: RowQuery[HeldCredential]
    of_owner: RowQuery[HeldCredential]


def _nothing() -> ColumnElement[datetime]:
    # A null without a type would come back as whatever the driver likes.
    return null().cast(Moment)


_profiles, _users, _devices, _keys = login_profiles.table, users.table, mfa_devices.table, access_keys.table
_certificates, _ssh, _services = signing_certificates.table, ssh_public_keys.table, service_credentials.table
_of_account = bindparam("of_account", type_=AccountId)


def _query(
    kind: str,
    *,
    owner: Column[str],
    key: Column[str],
    identifier: ColumnElement[str],
    status: ColumnElement[str],
    created: ColumnElement[datetime],
    changed: ColumnElement[datetime],
    used: ColumnElement[datetime],
    only: ColumnElement[bool] | None = None,
) -> _Query:
    named: dict[str, ColumnElement[Any]] = {
        "kind": literal(kind),
        "owner_id": owner,
        "key": key,
        "identifier": identifier,
        "status": status,
        "created_at": created,
        "changed_at": changed,
        "used_at": used,
    }
    columns = [column.label(name) for name, column in named.items()]
    statement = select(*columns).where(owner.table.c.account_id == _of_account, owner.is_not(None))
    if only is not None:
        statement = statement.where(only)
    return _Query(RowQuery(HeldCredential, statement), RowQuery(HeldCredential, statement.where(owner == bindparam("of_owner"))))


def _plain(kind: str, *, owner: Column[str], key: Column[str], created: Column[datetime]) -> _Query:
    status, none = owner.table.c.status, _nothing()
    return _query(kind, owner=owner, key=key, identifier=key, status=status, created=created, changed=none, used=none)


_password_used = (
    select(_users.c.password_used_at)
    .where(_users.c.account_id == _of_account, _users.c.user_id == _profiles.c.user_id)
    .scalar_subquery()
)
_QUERIES = {
    PASSWORD: _query(
        PASSWORD,
        owner=_profiles.c.user_id,
        key=_profiles.c.user_id,
        identifier=literal(""),
        status=literal(ACTIVE),
        created=_profiles.c.created_at,
        changed=_profiles.c.changed_at,
        used=_password_used,
    ),
    MFA_DEVICE: _query(
        MFA_DEVICE,
        owner=_devices.c.owner_id,
        key=_devices.c.device_id,
        identifier=_devices.c.serial,
        status=literal(ACTIVE),
        created=_devices.c.enabled_at,
        changed=_nothing(),
        used=_nothing(),
        only=mfa_devices.IS_OF_IAM,
    ),
    ACCESS_KEY: _query(
        ACCESS_KEY,
        owner=_keys.c.owner_id,
        key=_keys.c.access_key_id,
        identifier=_keys.c.access_key_id,
        status=_keys.c.status,
        created=_keys.c.created_at,
        changed=_nothing(),
        used=_keys.c.used_at,
    ),
    SIGNING_CERTIFICATE: _plain(
        SIGNING_CERTIFICATE,
        owner=_certificates.c.owner_id,
        key=_certificates.c.certificate_id,
        created=_certificates.c.uploaded_at,
    ),
    SSH_PUBLIC_KEY: _plain(SSH_PUBLIC_KEY, owner=_ssh.c.user_id, key=_ssh.c.key_id, created=_ssh.c.uploaded_at),
    SERVICE_CREDENTIAL: _plain(
        SERVICE_CREDENTIAL, owner=_services.c.user_id, key=_services.c.credential_id, created=_services.c.created_at
    ),
}


def of_account(db: Transaction, account_id: str) -> Iterator[HeldCredential]:
    """Return every credential of the account, with one query for each kind; an MFA device that nobody has is none."""
    yield from _root_password(db, account_id)
    for query in _QUERIES.values():
        yield from query.of_account.all(db, {"of_account": account_id})


def of_owner(db: Transaction, account_id: str, owner_id: str, *, kind: str) -> list[HeldCredential]:
    """Return the credentials of one kind that a user or root has."""
    found = _QUERIES[kind].of_owner.all(db, {"of_account": account_id, "of_owner": owner_id})
    return [*found, *_root_password(db, account_id)] if kind == PASSWORD and owner_id == account_id else found


def _root_password(db: Transaction, account_id: str) -> Iterator[HeldCredential]:
    # Root has no login profile: its password is the account's, and every other credential of root is in the tables above.
    account = accounts.with_id(db, account_id)
    if account is not None and account.root_password_hash is not None:
        yield HeldCredential(
            kind=PASSWORD,
            owner_id=account_id,
            key=account_id,
            identifier="",
            status=ACTIVE,
            created_at=account.created_at,
            changed_at=account.root_password_changed_at,
            used_at=account.root_password_used_at,
        )
