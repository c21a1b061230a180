"""How an organization's members stand, many accounts at a time: root's credentials, the security contact, the last audit.

Each query reads one thing of all accounts that are asked for, so that a large organization costs a page what a small one does. No
secret is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, and_, bindparam, func, or_, select

from crownkeep.storage.accounts import accounts, contacts
from crownkeep.storage.audits import credential_audits
from crownkeep.storage.credentials import access_keys, mfa_devices, root_login_profiles, signing_certificates
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.rows import RowQuery

_SECURITY = "SECURITY"


@dataclass(frozen=True, slots=True)
class MemberRoot:
    """One member's root user, as far as its password is concerned."""

    account_id: str
    has_password: bool
    may_recover: bool
    """Whether whoever reads root's mail may choose a password."""
    password_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountCount:
    """An account, and how many of something it has."""

    account_id: str
    count: int


@dataclass(frozen=True, slots=True)
class RootKeys:
    """How many access keys one root user has, and when one was used last."""

    account_id: str
    count: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberRootDevice:
    """One MFA device of a root user."""

    account_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class SignedAudit:
    """An account, and when its last credential audit was signed off."""

    account_id: str
    at: datetime | None


_members, _accounts, _profiles = organization_accounts.table, accounts.table, root_login_profiles.table
_keys, _certificates, _devices = access_keys.table, signing_certificates.table, mfa_devices.table
_contacts, _audits = contacts.alternates, credential_audits.table
_ids: BindParameter[str] = bindparam("account_ids", expanding=True)

_has_password = _accounts.c.root_password_hash.is_not(None)
_roots = RowQuery(
    MemberRoot,
    select(
        _accounts.c.account_id,
        _has_password.label("has_password"),
        or_(_has_password, _profiles.c.account_id.is_(None), _profiles.c.allowed_at.is_not(None)).label("may_recover"),
        _accounts.c.root_password_used_at.label("password_used_at"),
    )
    .select_from(
        _members.join(_accounts, _accounts.c.account_id == _members.c.account_id).outerjoin(
            _profiles, _profiles.c.account_id == _members.c.account_id
        )
    )
    .where(_members.c.organization_id == bindparam("organization_id"), _members.c.account_id.in_(_ids))
    .order_by(_members.c.account_id),
)
_root_keys = RowQuery(
    RootKeys,
    select(
        _keys.c.account_id, func.count().label("count"), func.max(_keys.c.used_at, type_=_keys.c.used_at.type).label("used_at")
    )
    .where(_keys.c.account_id.in_(_ids), _keys.c.owner_id == _keys.c.account_id)
    .group_by(_keys.c.account_id),
)
_root_certificates = RowQuery(
    AccountCount,
    select(_certificates.c.account_id, func.count().label("count"))
    .where(_certificates.c.account_id.in_(_ids), _certificates.c.owner_id == _certificates.c.account_id)
    .group_by(_certificates.c.account_id),
)
_root_devices = RowQuery(
    MemberRootDevice,
    select(_devices.c.account_id, _devices.c.kind)
    .where(_devices.c.account_id.in_(_ids), _devices.c.owner_id == _devices.c.account_id)
    .distinct(),
)
_with_contact = RowQuery(
    AccountCount,
    select(_contacts.c.account_id, func.count().label("count"))
    .where(_contacts.c.account_id.in_(_ids), _contacts.c.contact_type == _SECURITY)
    .group_by(_contacts.c.account_id),
)
_last_audits = RowQuery(
    SignedAudit,
    select(_audits.c.account_id, func.max(_audits.c.closed_at, type_=_audits.c.closed_at.type).label("at"))
    .where(and_(_audits.c.account_id.in_(_ids), _audits.c.status == credential_audits.SIGNED_OFF))
    .group_by(_audits.c.account_id),
)


def roots(db: Transaction, organization_id: str, account_ids: Sequence[str]) -> list[MemberRoot]:
    """Return the root users of those of these accounts that are in the organization."""
    return _roots.all(db, {"organization_id": organization_id, "account_ids": list(account_ids)})


def root_keys(db: Transaction, account_ids: Sequence[str]) -> dict[str, RootKeys]:
    """Return how many access keys root users have, by account; without one there is no entry."""
    return {each.account_id: each for each in _root_keys.all(db, {"account_ids": list(account_ids)})}


def root_certificates(db: Transaction, account_ids: Sequence[str]) -> dict[str, int]:
    """Return how many signing certificates root users have, by account; without one there is no entry."""
    return {each.account_id: each.count for each in _root_certificates.all(db, {"account_ids": list(account_ids)})}


def root_devices(db: Transaction, account_ids: Sequence[str]) -> list[MemberRootDevice]:
    """Return the kinds of MFA device that root users have."""
    return _root_devices.all(db, {"account_ids": list(account_ids)})


def with_security_contact(db: Transaction, account_ids: Sequence[str]) -> set[str]:
    """Return those of these accounts that name a security contact."""
    return {each.account_id for each in _with_contact.all(db, {"account_ids": list(account_ids)})}


def last_audits(db: Transaction, account_ids: Sequence[str]) -> dict[str, datetime | None]:
    """Return when the last credential audit of each account was signed off."""
    return {each.account_id: each.at for each in _last_audits.all(db, {"account_ids": list(account_ids)})}
