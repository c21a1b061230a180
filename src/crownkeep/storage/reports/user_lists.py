"""Users for a list that people look at: their orders, and what the users of a page hold, each by one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, BindParameter, String, and_, bindparam, cast, func, select

from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.reports import ordered_names
from crownkeep.storage.reports.ordered_names import ListedColumns, OrderedNames
from crownkeep.storage.rows import RowQuery

_NEVER = 0

MFA = "Mfa"
"""The order by the number of MFA devices."""
KEY_AGE = "KeyAge"
"""The order by the oldest active access key; whoever has none comes last."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """One access key of a user, without its secret."""

    owner_id: str
    access_key_id: str
    status: str
    created_at: datetime
    used_at: datetime | None


_users, _keys, _devices, _profiles = users.table, access_keys.table, mfa_devices.table, login_profiles.table
_account = bindparam("account_id", type_=String)
_active = and_(_keys.c.account_id == _users.c.account_id, _keys.c.owner_id == _users.c.user_id, _keys.c.status == "Active")
_oldest = select(func.min(cast(_keys.c.created_at, BigInteger))).where(_active).correlate(_users).scalar_subquery()
_devices_of_user = (
    select(func.count())
    .select_from(_devices)
    .where(_devices.c.account_id == _users.c.account_id, _devices.c.owner_id == _users.c.user_id)
    .correlate(_users)
    .scalar_subquery()
)

LISTED = OrderedNames(
    ListedColumns(_users, _users.c.account_id, _users.c.user_id, _users.c.name_key, _users.c.path),
    {
        "Created": cast(_users.c.created_at, BigInteger),
        "PasswordLastUsed": func.coalesce(cast(_users.c.password_used_at, BigInteger), _NEVER),
        MFA: _devices_of_user,
        KEY_AGE: func.coalesce(_oldest, ordered_names.LAST),
    },
)
"""The users of an account, by their unique ids."""

_of_owners: BindParameter[list[str]] = bindparam("owner_ids", expanding=True)
_held_keys = RowQuery(
    HeldKey,
    select(_keys.c.owner_id, _keys.c.access_key_id, _keys.c.status, _keys.c.created_at, _keys.c.used_at)
    .where(_keys.c.account_id == _account, _keys.c.owner_id.in_(_of_owners))
    .order_by(_keys.c.created_at),
)
_with_password = select(_profiles.c.user_id).where(_profiles.c.account_id == _account, _profiles.c.user_id.in_(_of_owners))
_device_counts = (
    select(_devices.c.owner_id, func.count())
    .where(_devices.c.account_id == _account, _devices.c.owner_id.in_(_of_owners))
    .group_by(_devices.c.owner_id)
)


def keys_of(db: Transaction, account_id: str, user_ids: Sequence[str]) -> Mapping[str, list[HeldKey]]:
    """Return the access keys of these users by unique id, the oldest first."""
    found: dict[str, list[HeldKey]] = defaultdict(list)
    for each in _held_keys.all(db, {"account_id": account_id, "owner_ids": list(user_ids)}) if user_ids else ():
        found[each.owner_id].append(each)
    return found


def with_password(db: Transaction, account_id: str, user_ids: Sequence[str]) -> set[str]:
    """Return those of these users that have a password."""
    values = {"account_id": account_id, "owner_ids": list(user_ids)}
    return set(db.execute(_with_password, values).scalars()) if user_ids else set()


def device_counts(db: Transaction, account_id: str, user_ids: Sequence[str]) -> dict[str, int]:
    """Return how many MFA devices these users have; those without are left out."""
    values = {"account_id": account_id, "owner_ids": list(user_ids)}
    return {owner: int(count) for owner, count in db.execute(_device_counts, values)} if user_ids else {}
