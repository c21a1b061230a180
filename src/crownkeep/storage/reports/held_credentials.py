"""Every credential of an account, whatever its kind: what it is, whose, how old and whether it is used; no secret is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, literal, null, select

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


def _nothing() -> ColumnElement[datetime]:
    # A null without a type would come back as whatever the driver likes.
    return null().cast(Moment)


_profiles, _users, _devices, _keys = login_profiles.table, users.table, mfa_devices.table, access_keys.table
_certificates, _ssh, _services = signing_certificates.table, ssh_public_keys.table, service_credentials.table
_of_account = bindparam("of_account", type_=AccountId)


def _query(owner: Column[str], key: Column[str], *others: ColumnElement[Any]) -> tuple[Select[Any], Column[str]]:
    """Make the query of a kind, in the order of HeldCredential's fields, with the column of its owner."""
    table = owner.table
    return select(owner, key, *others).where(table.c.account_id == _of_account, owner.is_not(None)), owner


def _plain(owner: Column[str], key: Column[str], created: Column[datetime]) -> tuple[Select[Any], Column[str]]:
    return _query(owner, key, key, owner.table.c.status, created, _nothing(), _nothing())


_password_used = (
    select(_users.c.password_used_at)
    .where(_users.c.account_id == _of_account, _users.c.user_id == _profiles.c.user_id)
    .scalar_subquery()
)
_QUERIES = {
    PASSWORD: _query(
        _profiles.c.user_id,
        _profiles.c.user_id,
        literal(""),
        literal(ACTIVE),
        _profiles.c.created_at,
        _profiles.c.changed_at,
        _password_used,
    ),
    MFA_DEVICE: _query(
        _devices.c.owner_id,
        _devices.c.device_id,
        _devices.c.serial,
        literal(ACTIVE),
        _devices.c.enabled_at,
        _nothing(),
        _nothing(),
    ),
    ACCESS_KEY: _query(
        _keys.c.owner_id,
        _keys.c.access_key_id,
        _keys.c.access_key_id,
        _keys.c.status,
        _keys.c.created_at,
        _nothing(),
        _keys.c.used_at,
    ),
    SIGNING_CERTIFICATE: _plain(_certificates.c.owner_id, _certificates.c.certificate_id, _certificates.c.uploaded_at),
    SSH_PUBLIC_KEY: _plain(_ssh.c.user_id, _ssh.c.key_id, _ssh.c.uploaded_at),
    SERVICE_CREDENTIAL: _plain(_services.c.user_id, _services.c.credential_id, _services.c.created_at),
}
_OF_OWNER = {kind: query.where(owner == bindparam("of_owner")) for kind, (query, owner) in _QUERIES.items()}


def of_account(db: Transaction, account_id: str) -> Iterator[HeldCredential]:
    """Return every credential of the account, with one query for each kind; an MFA device that nobody has is none."""
    yield from _root_password(db, account_id)
    for kind, (query, _) in _QUERIES.items():
        for row in db.execute(query, {"of_account": account_id}):
            yield HeldCredential(kind, *row)


def of_owner(db: Transaction, account_id: str, owner_id: str, *, kind: str) -> list[HeldCredential]:
    """Return the credentials of one kind that a user or root has."""
    rows = db.execute(_OF_OWNER[kind], {"of_account": account_id, "of_owner": owner_id})
    found = [HeldCredential(kind, *row) for row in rows]
    return [*found, *_root_password(db, account_id)] if kind == PASSWORD and owner_id == account_id else found


def _root_password(db: Transaction, account_id: str) -> Iterator[HeldCredential]:
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
