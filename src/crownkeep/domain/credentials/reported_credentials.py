"""What a credential report says: one line for root and for each user, with their credentials and how old these are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from crownkeep import arn
from crownkeep.credentials import password_policy
from crownkeep.credentials.password_policy import PasswordPolicy
from crownkeep.operations import central_root
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices, password_policies, signing_certificates
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.credentials.login_profiles import LoginProfileRow
from crownkeep.storage.credentials.signing_certificates import SigningCertificateRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow

Owned = TypeVar("Owned", AccessKeyRow, SigningCertificateRow)

COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
_ROOT = "<root_account>"
_ABSENT = "N/A"
_NEVER = "no_information"
_NOT_SUPPORTED = "not_supported"
_NO_KEY = ("false", _ABSENT, _ABSENT, _ABSENT, _ABSENT)
_NO_CERTIFICATE = ("false", _ABSENT)
_KEYS = 2
_CERTIFICATES = 2


@dataclass(frozen=True, slots=True)
class _Held:
    """What a user or root has beside a password, as columns."""

    mfa: str
    keys: Iterable[str]
    certificates: Iterable[str]


def content(db: Transaction, account_id: str) -> bytes:
    """Return an account's report as it is now, as IAM writes it."""
    place = (db, account_id)
    keys = _by_owner(access_keys.of_account(*place))
    certificates = _by_owner(signing_certificates.of_account(*place))
    profiles = {profile.user_id: profile for profile in login_profiles.of_account(*place)}
    policy = password_policies.of_account(*place)
    with_mfa = mfa_devices.owner_ids(*place)

    def held(owner_id: str) -> _Held:
        columns = _certificate_columns(certificates.get(owner_id, ()))
        return _Held(_flag(owner_id in with_mfa), _key_columns(keys.get(owner_id, ())), columns)

    account = accounts.with_id(*place)
    lines = [COLUMNS]
    if account is not None:
        lines.append(_root_line(account, held(account.account_id), central_root.password_since(db, account)))
    for user in users.of_account(*place):
        lines.append(_user_line(user, profiles.get(user.user_id), policy, held(user.user_id)))
    return "\n".join(lines).encode()


def _by_owner(rows: Iterable[Owned]) -> dict[str, list[Owned]]:
    found: dict[str, list[Owned]] = {}
    for row in rows:
        found.setdefault(row.owner_id, []).append(row)
    return found


def _root_line(account: AccountRow, held: _Held, password_since: datetime | None) -> str:
    has_password = password_since is not None
    # Of a root user that may choose its first password, AWS shows since when it may.
    is_to_choose = has_password and account.root_password_hash is None
    return ",".join(
        (
            _ROOT,
            arn.root(account.account_id),
            _time(account.created_at),
            _flag(has_password),
            _time(account.root_password_used_at, absent=_NEVER),
            _time(password_since) if is_to_choose else _NOT_SUPPORTED,
            _NOT_SUPPORTED,
            held.mfa,
            *held.keys,
            *held.certificates,
        )
    )


def _user_line(user: UserRow, profile: LoginProfileRow | None, policy: PasswordPolicy | None, held: _Held) -> str:
    return ",".join(
        (
            _quoted(user.name),
            _quoted(arn.user(user.account_id, user.path, user.name)),
            _time(user.created_at),
            *_password_columns(user, profile, policy),
            held.mfa,
            *held.keys,
            *held.certificates,
        )
    )


def _password_columns(user: UserRow, profile: LoginProfileRow | None, policy: PasswordPolicy | None) -> Iterable[str]:
    if profile is None:
        return ("false", _ABSENT, _ABSENT, _ABSENT)
    return (
        "true",
        _time(user.password_used_at, absent=_NEVER),
        _time(profile.changed_at),
        _time(password_policy.expires_at(policy, profile.changed_at)),
    )


def _key_columns(keys: Sequence[AccessKeyRow]) -> Iterable[str]:
    for key in keys[:_KEYS]:
        yield from (
            _flag(key.status == "Active"),
            _time(key.created_at),
            _time(key.used_at),
            key.used_region or _ABSENT,
            key.used_service or _ABSENT,
        )
    for _ in range(_KEYS - len(keys)):
        yield from _NO_KEY


def _certificate_columns(certificates: Sequence[SigningCertificateRow]) -> Iterable[str]:
    for certificate in certificates[:_CERTIFICATES]:
        yield from (_flag(certificate.status == "Active"), _time(certificate.uploaded_at))
    for _ in range(_CERTIFICATES - len(certificates)):
        yield from _NO_CERTIFICATE


def _quoted(text: str) -> str:
    # Names may hold commas, and paths quotation marks as well (RFC 4180, section 2).
    if "," not in text and '"' not in text:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _time(moment: datetime | None, *, absent: str = _ABSENT) -> str:
    return absent if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _flag(is_set: bool) -> str:
    return "true" if is_set else "false"
