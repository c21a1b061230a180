"""Users for a list that people look at: a page in one of several orders, and what the users of a page hold, each by one query.

An order other than the name's is computed over no more than `MOST_ORDERED` users, which is more than any account's quota.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)

from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.metadata import begins_with
from crownkeep.storage.reports import name_search
from crownkeep.storage.rows import RowQuery

MOST_ORDERED = name_search.MOST_LOOKED_AT

_NEVER = 0
_NO_KEY = 2**62


class UserOrder(Enum):
    """By what a list of users is ordered; ties are in the order of names."""

    NAME = "Name"
    CREATED = "Created"
    PASSWORD_LAST_USED = "PasswordLastUsed"
    MFA = "Mfa"
    """By the number of MFA devices."""
    KEY_AGE = "KeyAge"
    """By the oldest active access key; whoever has none comes last."""


@dataclass(frozen=True, slots=True)
class UserPlace:
    """Where in a list a user stands."""

    user_id: str
    name_key: str
    place: int
    """What the list is ordered by, as a number; 0 in the order of names."""


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


def _place_of(order: UserOrder) -> ColumnElement[int]:
    of_user = and_(_keys.c.account_id == _users.c.account_id, _keys.c.owner_id == _users.c.user_id, _keys.c.status == "Active")
    oldest = select(func.min(cast(_keys.c.created_at, BigInteger))).where(of_user).correlate(_users).scalar_subquery()
    devices = (
        select(func.count())
        .select_from(_devices)
        .where(_devices.c.account_id == _users.c.account_id, _devices.c.owner_id == _users.c.user_id)
        .correlate(_users)
        .scalar_subquery()
    )
    places: dict[UserOrder, ColumnElement[Any]] = {
        UserOrder.NAME: literal(0, Integer),
        UserOrder.CREATED: cast(_users.c.created_at, BigInteger),
        UserOrder.PASSWORD_LAST_USED: func.coalesce(cast(_users.c.password_used_at, BigInteger), _NEVER),
        UserOrder.MFA: devices,
        UserOrder.KEY_AGE: func.coalesce(oldest, _NO_KEY),
    }
    return places[order]


def _page(order: UserOrder, *, descending: bool) -> RowQuery[UserPlace]:
    looked_at = (
        select(_users.c.user_id, _users.c.name_key, _place_of(order).label("place"))
        .where(_users.c.account_id == _account, begins_with(_users.c.path, "prefix"), _holds(_users.c.name_key))
        .order_by(_users.c.name_key)
        .limit(MOST_ORDERED)
        .subquery()
    )
    place, name = looked_at.c.place, looked_at.c.name_key
    after, of_name = bindparam("after", type_=BigInteger), bindparam("after_name", type_=String)
    later = place < after if descending else place > after
    found: Select[Any] = select(looked_at.c.user_id, name, place).where(or_(later, and_(place == after, name > of_name)))
    return RowQuery(
        UserPlace, found.order_by(place.desc() if descending else place, name).limit(bindparam("limit", type_=Integer))
    )


def _holds(name: ColumnElement[str]) -> ColumnElement[bool]:
    return name.like(bindparam("pattern", type_=String), escape=name_search.ESCAPE)


def _by_name() -> RowQuery[UserPlace]:
    """Return the query of the most usual order, which looks on from the last name of the page before."""
    name = _users.c.name_key
    looked_at = (
        select(_users.c.user_id, name, literal(0, Integer).label("place"))
        .where(
            _users.c.account_id == _account, name > bindparam("after_name", type_=String), begins_with(_users.c.path, "prefix")
        )
        .order_by(name)
        .limit(MOST_ORDERED)
        .subquery()
    )
    found = select(looked_at).where(_holds(looked_at.c.name_key)).order_by(looked_at.c.name_key)
    return RowQuery(UserPlace, found.limit(bindparam("limit", type_=Integer)))


_ordered = {(order, down): _page(order, descending=down) for order in UserOrder for down in (False, True)}
_named = _by_name()
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


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Which users a list shows, and in which order."""

    text: str
    """What their names hold; empty for all."""
    path_prefix: str
    order: UserOrder
    is_descending: bool


def page(db: Transaction, account_id: str, wanted: UserSearch, *, after: UserPlace | None, limit: int) -> list[UserPlace]:
    """Return up to `limit` users in the order that is wanted, from the one after `after`."""
    values: dict[str, object] = {
        "account_id": account_id,
        "prefix": wanted.path_prefix,
        "pattern": name_search.pattern_of(wanted.text),
        "after_name": after.name_key if after is not None else "",
        "limit": limit,
    }
    if wanted.order is UserOrder.NAME and not wanted.is_descending:
        return _named.all(db, values)
    first = _NO_KEY + 1 if wanted.is_descending else -1
    return _ordered[wanted.order, wanted.is_descending].all(db, {**values, "after": after.place if after is not None else first})


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
