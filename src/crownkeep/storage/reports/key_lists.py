"""The access keys of an account's users for a list that people look at; root's keys are not among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, bindparam, cast, func, select

from crownkeep.storage.credentials import access_keys
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.metadata import Name
from crownkeep.storage.reports.ordered_names import ListedColumns, OrderedNames
from crownkeep.storage.rows import RowQuery

LAST_USED = "LastUsed"
"""The order by the last use; a key that was never used comes first."""

_NEVER = 0

_keys, _users = access_keys.table, users.table
_owned = _keys.join(_users, (_users.c.account_id == _keys.c.account_id) & (_users.c.user_id == _keys.c.owner_id))
# The cast gives the id the collation of names: PostgreSQL refuses to compare a text that is put together of two.
_name = _users.c.name_key + "/" + cast(func.lower(_keys.c.access_key_id), Name)

LISTED = OrderedNames(
    ListedColumns(_owned, _keys.c.account_id, _keys.c.access_key_id, _name, _users.c.path),
    {
        "Created": cast(_keys.c.created_at, BigInteger),
        LAST_USED: func.coalesce(cast(_keys.c.used_at, BigInteger), _NEVER),
    },
)
"""The keys of an account's users; they are named by their owner and their id."""


@dataclass(frozen=True, slots=True)
class OwnedKey:
    """One access key, without its secret, and the user that has it."""

    access_key_id: str
    status: str
    created_at: datetime
    used_at: datetime | None
    used_service: str | None
    used_region: str | None
    user_id: str
    user_name: str
    user_path: str


_shown = (
    _keys.c.access_key_id,
    _keys.c.status,
    _keys.c.created_at,
    _keys.c.used_at,
    _keys.c.used_service,
    _keys.c.used_region,
    _users.c.user_id,
    _users.c.name.label("user_name"),
    _users.c.path.label("user_path"),
)
_with_ids = RowQuery(
    OwnedKey,
    select(*_shown)
    .select_from(_owned)
    .where(
        _keys.c.account_id == bindparam("account_id", type_=String), _keys.c.access_key_id.in_(bindparam("ids", expanding=True))
    ),
)


def with_ids(db: Transaction, account_id: str, access_key_ids: Sequence[str]) -> dict[str, OwnedKey]:
    """Return these keys of the account's users by their ids, in one query."""
    if not access_key_ids:
        return {}
    found = _with_ids.all(db, {"account_id": account_id, "ids": list(access_key_ids)})
    return {each.access_key_id: each for each in found}
