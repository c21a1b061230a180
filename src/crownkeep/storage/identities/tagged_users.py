"""Users with their tags, by one query: GetUser answers both, and on PostgreSQL each query is a round trip."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import tags, users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.rows import RowQuery


def _tagged(
    user_id: str,
    account_id: str,
    name: str,
    name_key: str,
    path: str,
    created_at: datetime,
    boundary_arn: str | None,
    password_used_at: datetime | None,
    number: int,
    tag_key: str | None,
    tag_value: str | None,
) -> tuple[UserRow, str | None, str | None]:
    row = UserRow(
        user_id=user_id,
        account_id=account_id,
        name=name,
        name_key=name_key,
        path=path,
        created_at=created_at,
        boundary_arn=boundary_arn,
        password_used_at=password_used_at,
        number=number,
    )
    return row, tag_key, tag_value


_of_user = (tags.table.c.account_id == users.table.c.account_id) & (tags.table.c.resource_id == users.table.c.user_id)
_named = RowQuery(
    _tagged,
    select(users.table, tags.table.c.tag_key, tags.table.c.tag_value)
    .join_from(users.table, tags.table, _of_user, isouter=True)
    .where(users.table.c.account_id == bindparam("account_id"), users.table.c.name_key == bindparam("name_key"))
    .order_by(tags.table.c.tag_key),
)


def named(db: Transaction, account_id: str, name: str) -> tuple[UserRow, Mapping[str, str]] | None:
    """Return the user with this name, whatever its letters' case, and its tags in the order of their keys."""
    found = _named.all(db, {"account_id": account_id, "name_key": name.lower()})
    if not found:
        return None
    # An outer join: a user without tags has one row, and no tag in it.
    return found[0][0], {key: value for _, key, value in found if key is not None and value is not None}
