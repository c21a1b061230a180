"""IAM users: named within an account without regard to case, found by name or by unique id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint, bindparam, delete, func, insert, or_, select, update

from crownkeep.columns import Columns
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, Name, Path, UniqueId, begins_with, metadata
from crownkeep.storage.prepared import Prepared, PreparedChange
from crownkeep.storage.rows import ColumnQuery, RowQuery
from crownkeep.values import value_type

table = Table(
    "users",
    metadata,
    Column("user_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False),
    Column("path", Path, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("boundary_arn", AnyArn),
    Column("password_used_at", Moment),
    Column("number", Integer, nullable=False),
    UniqueConstraint("account_id", "name_key"),
    Index(None, "account_id", "number"),
)


@value_type(frozen=True, slots=True)
class UserRow:
    """One user. `name_key` is the name in lower case.

    `number` is given by `add`: one more than the greatest in the account, so that there are never more users than that.
    """

    user_id: str
    account_id: str
    name: str
    name_key: str
    path: str
    created_at: datetime
    boundary_arn: str | None
    password_used_at: datetime | None
    number: int = 0


_this = (table.c.account_id == bindparam("of_account"), table.c.user_id == bindparam("of_user"))
_named = RowQuery(
    UserRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.name_key == bindparam("name_key"))
)
_by_id = RowQuery(
    UserRow, select(table).where(table.c.account_id == bindparam("account_id"), table.c.user_id == bindparam("user_id"))
)
# The number is found by the very statement that inserts, so that making a user takes one query.
_others = table.alias("others")
_given = ("user_id", "account_id", "name", "name_key", "path", "created_at", "boundary_arn", "password_used_at")
_insert = Prepared(
    insert(table)
    .values(
        {column: bindparam(f"new_{column}", type_=table.c[column].type) for column in _given}
        | {
            "number": select(func.coalesce(func.max(_others.c.number), 0) + 1)
            .where(_others.c.account_id == bindparam("in_account"))
            .scalar_subquery()
        }
    )
    .returning(table.c.number)
)
_by_ids = RowQuery(
    UserRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.user_id.in_(bindparam("user_ids", expanding=True)))
    .order_by(table.c.name_key),
)
_anywhere_by_ids = RowQuery(UserRow, select(table).where(table.c.user_id.in_(bindparam("user_ids", expanding=True))))
_page = RowQuery(
    UserRow,
    select(table)
    .where(
        table.c.account_id == bindparam("account_id"),
        table.c.name_key > bindparam("after"),
        begins_with(table.c.path, "prefix"),
    )
    .order_by(table.c.name_key)
    .limit(bindparam("limit")),
)
# Most lists are of every path, and without its condition the index on names is all that is read.
_page_any_path = RowQuery(
    UserRow,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.name_key > bindparam("after"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit")),
)
_listed = (
    select(table.c.path, table.c.name, table.c.user_id, table.c.created_at, table.c.password_used_at)
    .where(table.c.account_id == bindparam("account_id"), table.c.name_key > bindparam("after"))
    .order_by(table.c.name_key)
    .limit(bindparam("limit"))
)
_listed_any_path = ColumnQuery(_listed)
_listed_under_path = ColumnQuery(_listed.where(begins_with(table.c.path, "prefix")))
_of_account = RowQuery(UserRow, select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.name_key))
_count = select(func.count()).select_from(table).where(table.c.account_id == bindparam("account_id"))
_rename = (
    update(table).where(*_this).values(name=bindparam("new_name"), name_key=bindparam("new_name_key"), path=bindparam("new_path"))
)
_set_boundary = update(table).where(*_this).values(boundary_arn=bindparam("new_boundary_arn"))
_set_password_used = PreparedChange(
    update(table)
    .where(*_this, or_(table.c.password_used_at.is_(None), table.c.password_used_at <= bindparam("unless_after")))
    .values(password_used_at=bindparam("at"))
)
_remove = delete(table).where(*_this)


def named(db: Transaction, account_id: str, name: str) -> UserRow | None:
    """Return the user with this name, whatever its letters' case."""
    return _named.first(db, {"account_id": account_id, "name_key": name.lower()})


def with_id(db: Transaction, account_id: str, user_id: str) -> UserRow | None:
    """Return the user with this unique id."""
    return _by_id.first(db, {"account_id": account_id, "user_id": user_id})


def with_ids(db: Transaction, account_id: str, user_ids: Sequence[str]) -> list[UserRow]:
    """Return the users with these unique ids, by name, in one query."""
    if not user_ids:
        return []
    return _by_ids.all(db, {"account_id": account_id, "user_ids": list(user_ids)})


def anywhere_with_ids(db: Transaction, user_ids: Sequence[str]) -> list[UserRow]:
    """Return the users with these unique ids, in whatever account, in one query; for the operator."""
    if not user_ids:
        return []
    return _anywhere_by_ids.all(db, {"user_ids": list(user_ids)})


def page(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> list[UserRow]:
    """Return up to `limit` users in the order of their names, from the one after the key `after`."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    if path_prefix == "/":
        return _page_any_path.all(db, values)
    return _page.all(db, {**values, "prefix": path_prefix})


def listed(db: Transaction, account_id: str, *, path_prefix: str, after: str, limit: int) -> Columns:
    """Return of the same users what a list shows: `path`, `name`, `user_id`, `created_at` and `password_used_at`."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    if path_prefix == "/":
        return _listed_any_path.all(db, values)
    return _listed_under_path.all(db, {**values, "prefix": path_prefix})


def of_account(db: Transaction, account_id: str) -> list[UserRow]:
    """Return every user of the account, by name; for reports."""
    return _of_account.all(db, {"account_id": account_id})


def count(db: Transaction, account_id: str) -> int:
    """Return how many users the account has."""
    return int(db.execute(_count, {"account_id": account_id}).scalar_one())


def add(db: Transaction, row: UserRow) -> int:
    """Keep a new user and return its number: as long as that is within a quota, nobody needs to count."""
    values = {
        "new_user_id": row.user_id,
        "new_account_id": row.account_id,
        "in_account": row.account_id,
        "new_name": row.name,
        "new_name_key": row.name_key,
        "new_path": row.path,
        "new_created_at": row.created_at,
        "new_boundary_arn": row.boundary_arn,
        "new_password_used_at": row.password_used_at,
    }
    (number,) = _insert.all(db, values)[0]
    return int(number)


def rename(db: Transaction, account_id: str, user_id: str, *, name: str, path: str) -> None:
    """Give a user this name and path; the unique id stays, and with it all that belongs to the user."""
    values = {"new_name": name, "new_name_key": name.lower(), "new_path": path}
    db.execute(_rename, {"of_account": account_id, "of_user": user_id, **values})


def set_boundary(db: Transaction, account_id: str, user_id: str, policy_arn: str | None) -> None:
    """Set the policy that bounds a user's permissions, or none."""
    db.execute(_set_boundary, {"of_account": account_id, "of_user": user_id, "new_boundary_arn": policy_arn})


def set_password_used(db: Transaction, account_id: str, user_id: str, *, at: datetime, unless_after: datetime) -> None:
    """Remember when a user's password was last used to sign in, unless it is remembered of after another moment."""
    values = {"of_account": account_id, "of_user": user_id, "at": at, "unless_after": unless_after}
    _set_password_used.run(db, values)


def remove(db: Transaction, account_id: str, user_id: str) -> None:
    """Forget a user's own row."""
    db.execute(_remove, {"of_account": account_id, "of_user": user_id})
