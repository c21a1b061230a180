"""What people may take, by their own assignments and by their groups', joined with what the portal shows of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BindParameter, String, bindparam, cast, exists, func, or_, select, union_all

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import containing
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.single_sign_on import account_assignments, directory_memberships, directory_users, permission_sets

_OPEN = "ACTIVE"
_accounts, _assignments, _sets = accounts.table.c, account_assignments.table.c, permission_sets.table.c
_memberships = directory_memberships.table.c


@dataclass(frozen=True, slots=True)
class EntitledAccount:
    """An account in which somebody may take something."""

    account_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One permission set that somebody may take in one account."""

    account_id: str
    name: str
    """The account's."""
    email: str
    role_name: str
    """The permission set's."""


_groups = select(_memberships.group_id).where(
    _memberships.identity_store_id == bindparam("store_id"), _memberships.user_id == bindparam("user_id")
)
# One list of ids: with an `or`, SQLite reads every assignment of the instance.
_principals = union_all(select(cast(bindparam("user_id"), String(47))), _groups)
_is_theirs = (_assignments.instance_id == bindparam("instance_id"), _assignments.principal_id.in_(_principals))
_people = directory_users.table.c
# Somebody who is disabled keeps assignments, for when they are enabled again: so this is asked beside them.
_may_use_it = exists().where(
    _people.identity_store_id == bindparam("store_id"), _people.user_id == bindparam("user_id"), _people.is_active
)
_may_take = (
    select(_assignments.target_id)
    .where(
        *_is_theirs,
        _may_use_it,
        _assignments.target_id == bindparam("target_id"),
        _assignments.permission_set_id == bindparam("permission_set_id"),
    )
    .limit(1)
)
_in_open_account = (_accounts.account_id == _assignments.target_id, _accounts.state == _OPEN)
_of_set = (
    _sets.instance_id == _assignments.instance_id,
    _sets.permission_set_id == _assignments.permission_set_id,
)
_accounts_of = RowQuery(
    EntitledAccount,
    select(_accounts.account_id, _accounts.name, _accounts.email)
    .where(
        _accounts.account_id.in_(select(_assignments.target_id).where(*_is_theirs)),
        _accounts.state == _OPEN,
        _accounts.account_id > bindparam("after"),
    )
    .order_by(_accounts.account_id)
    .limit(bindparam("limit")),
)
_sets_of = (
    select(_sets.name)
    .where(
        _sets.instance_id == bindparam("instance_id"),
        _sets.permission_set_id.in_(
            select(_assignments.permission_set_id).where(*_is_theirs, _assignments.target_id == bindparam("target_id"))
        ),
        _sets.name > bindparam("after"),
    )
    .order_by(_sets.name)
    .limit(bindparam("limit"))
)
_pattern: BindParameter[str] = bindparam("pattern")
_entitlements_of = RowQuery(
    Entitlement,
    select(_accounts.account_id, _accounts.name, _accounts.email, _sets.name.label("role_name"))
    .distinct()
    .where(
        *_is_theirs,
        *_in_open_account,
        *_of_set,
        or_(
            func.lower(_accounts.name).like(_pattern, escape="\\"),
            _accounts.account_id.like(_pattern, escape="\\"),
            _sets.name_key.like(_pattern, escape="\\"),
        ),
    )
    .order_by(_accounts.name, _accounts.account_id, _sets.name)
    .limit(bindparam("limit")),
)


def may_take(db: Transaction, instance_id: str, *, target_id: str, permission_set_id: str, store_id: str, user_id: str) -> bool:
    """Tell whether somebody may take a permission set in an account, by themselves or by a group."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return db.execute(_may_take, {**who, "target_id": target_id, "permission_set_id": permission_set_id}).first() is not None


def accounts_of(
    db: Transaction, *, instance_id: str, store_id: str, user_id: str, after: str, limit: int
) -> list[EntitledAccount]:
    """Return up to `limit` accounts in which somebody may take something, in the order of their ids."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return _accounts_of.all(db, {**who, "after": after, "limit": limit})


def sets_of(
    db: Transaction, *, instance_id: str, store_id: str, user_id: str, target_id: str, after: str, limit: int
) -> list[str]:
    """Return up to `limit` names of permission sets that somebody may take in an account."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return list(db.execute(_sets_of, {**who, "target_id": target_id, "after": after, "limit": limit}).scalars())


def entitlements_of(
    db: Transaction, *, instance_id: str, store_id: str, user_id: str, search: str, limit: int
) -> list[Entitlement]:
    """Return up to `limit` permission sets that somebody may take, by account, where a text is in a name or the id."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return _entitlements_of.all(db, {**who, "pattern": containing(search), "limit": limit})
