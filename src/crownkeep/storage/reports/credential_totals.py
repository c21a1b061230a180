"""What people and programs of accounts can sign in with, counted as credential reports have it, for many accounts in two queries.

Every password and every active access key is one row with what is wrong with it; the rows of one user, or of root, are a line
of the report. No secret is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices, root_login_profiles
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.metadata import Moment
from crownkeep.storage.rows import RowQuery


@dataclass(frozen=True, slots=True)
class CredentialsOfAccount:
    """How many credentials an account has, root's among them, and how many users, or root, have some that are wrong."""

    account_id: str
    passwords: int
    without_mfa: int
    active_keys: int
    with_old: int
    with_unused: int
    root_can_sign_in: bool


@dataclass(frozen=True, slots=True)
class UsersOfAccount:
    """An account, and how many users it has."""

    account_id: str
    users: int


_users, _profiles, _keys = users.table, login_profiles.table, access_keys.table
_devices, _accounts, _roots = mfa_devices.table, accounts.table, root_login_profiles.table
_ids: BindParameter[str] = bindparam("account_ids", expanding=True)
_old_before, _unused_before = bindparam("old_before", type_=Moment), bindparam("unused_before", type_=Moment)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _lacks_device(account_id: ColumnElement[str], owner_id: ColumnElement[str]) -> ColumnElement[bool]:
    return ~exists().where(_devices.c.account_id == account_id, _devices.c.owner_id == owner_id, mfa_devices.IS_OF_IAM)


def _facts(
    account_id: ColumnElement[str],
    owner_id: ColumnElement[str],
    *,
    is_password: bool,
    without_mfa: ColumnElement[int],
    old: ColumnElement[int],
    unused: ColumnElement[int],
) -> Select[str, str, int, int, int, int, int]:
    return select(
        account_id.label("account_id"),
        owner_id.label("owner_id"),
        (_ONE if is_password else _NONE).label("password"),
        without_mfa.label("without_mfa"),
        (_NONE if is_password else _ONE).label("active_key"),
        old.label("old"),
        unused.label("unused"),
    ).where(account_id.in_(_ids))


_NONE, _ONE = literal_column("0", Integer), literal_column("1", Integer)
_of_users = _facts(
    _profiles.c.account_id,
    _profiles.c.user_id,
    is_password=True,
    without_mfa=_flag(_lacks_device(_profiles.c.account_id, _profiles.c.user_id)),
    old=_flag(_profiles.c.changed_at < _old_before),
    unused=_flag(
        and_(
            _profiles.c.changed_at < _unused_before,
            or_(_users.c.password_used_at.is_(None), _users.c.password_used_at < _unused_before),
        )
    ),
).select_from(_profiles.join(_users, _users.c.user_id == _profiles.c.user_id))
_of_roots = (
    _facts(
        _accounts.c.account_id,
        _accounts.c.account_id,
        is_password=True,
        without_mfa=_flag(_lacks_device(_accounts.c.account_id, _accounts.c.account_id)),
        # Root's password has an age only while it is still to be chosen, and may always be unused.
        old=_flag(and_(_accounts.c.root_password_hash.is_(None), _roots.c.allowed_at < _old_before)),
        unused=_NONE,
    )
    .select_from(_accounts.outerjoin(_roots, _roots.c.account_id == _accounts.c.account_id))
    .where(or_(_accounts.c.root_password_hash.is_not(None), _roots.c.allowed_at.is_not(None)))
)
_of_keys = _facts(
    _keys.c.account_id,
    _keys.c.owner_id,
    is_password=False,
    without_mfa=_NONE,
    old=_flag(_keys.c.created_at < _old_before),
    unused=_flag(and_(_keys.c.created_at < _unused_before, or_(_keys.c.used_at.is_(None), _keys.c.used_at < _unused_before))),
).where(_keys.c.status == "Active")
_each = union_all(_of_users, _of_roots, _of_keys).subquery()
_lines = (
    select(
        _each.c.account_id,
        _each.c.owner_id,
        func.sum(_each.c.password).label("passwords"),
        func.sum(_each.c.without_mfa).label("without_mfa"),
        func.sum(_each.c.active_key).label("active_keys"),
        func.max(_each.c.old).label("old"),
        func.max(_each.c.unused).label("unused"),
    )
    .group_by(_each.c.account_id, _each.c.owner_id)
    .subquery()
)


def _counted(
    account_id: str, passwords: int, without_mfa: int, active_keys: int, with_old: int, with_unused: int, of_root: int
) -> CredentialsOfAccount:
    # PostgreSQL's sums of whole numbers are decimals.
    return CredentialsOfAccount(
        account_id,
        passwords=int(passwords),
        without_mfa=int(without_mfa),
        active_keys=int(active_keys),
        with_old=int(with_old),
        with_unused=int(with_unused),
        root_can_sign_in=of_root > 0,
    )


_credentials = RowQuery(
    _counted,
    select(
        _lines.c.account_id,
        func.sum(_lines.c.passwords).label("passwords"),
        func.sum(_lines.c.without_mfa).label("without_mfa"),
        func.sum(_lines.c.active_keys).label("active_keys"),
        func.sum(_lines.c.old).label("with_old"),
        func.sum(_lines.c.unused).label("with_unused"),
        func.sum(_flag(_lines.c.owner_id == _lines.c.account_id)).label("of_root"),
    ).group_by(_lines.c.account_id),
)
_counted_users = RowQuery(
    UsersOfAccount,
    select(_users.c.account_id, func.count().label("users")).where(_users.c.account_id.in_(_ids)).group_by(_users.c.account_id),
)


def counted(
    db: Transaction, account_ids: Sequence[str], *, old_before: datetime, unused_before: datetime
) -> Mapping[str, CredentialsOfAccount]:
    """Return how many credentials these accounts have, by account; without any there is no entry.

    A password or key is old that was made before `old_before`, and unused where neither making nor use is since `unused_before`.
    """
    values = {"account_ids": list(account_ids), "old_before": old_before, "unused_before": unused_before}
    return {each.account_id: each for each in _credentials.all(db, values)}


def user_counts(db: Transaction, account_ids: Sequence[str]) -> Mapping[str, int]:
    """Return how many users these accounts have, by account; without any there is no entry."""
    return {each.account_id: each.users for each in _counted_users.all(db, {"account_ids": list(account_ids)})}
