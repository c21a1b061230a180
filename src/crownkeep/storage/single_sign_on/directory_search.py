"""People of an identity store found by part of a name, with what an administrator looks for beside each: in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, exists, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import containing
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import directory_memberships, directory_users, person_credentials

_users = directory_users.table.c
# Devices, passwords and sessions are kept by owner, as those of users are: people's UUIDs stand there without hyphens.
_owner_id = func.replace(_users.user_id, "-", "")
_devices, _sessions = mfa_devices.table.c, browser_sessions.table.c
_members, _passwords = directory_memberships.table.c, person_credentials.table.c


class _DisplayName(FunctionElement[str]):
    """The display name in a person's attributes, which each database reads from JSON text in its own way."""

    type = Text()
    inherit_cache = True


@compiles(_DisplayName, "sqlite")
def _on_sqlite(element: _DisplayName, compiler: Any, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.DisplayName')"


@compiles(_DisplayName, "postgresql")
def _on_postgres(element: _DisplayName, compiler: Any, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)})::json ->> 'DisplayName')"


_display_name = _DisplayName(_users.attributes)


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """Somebody in a list of people."""

    user_id: str
    user_name: str
    user_name_key: str
    display_name: str | None
    email: str | None
    """In lower case."""
    is_active: bool
    groups: int
    mfa_devices: int
    has_password: bool
    signed_in_at: datetime | None
    """When the latest session began that is kept; None where none is, which is so a while after the last one ended."""


def _row(
    user_id: str,
    user_name: str,
    user_name_key: str,
    display_name: str | None,
    email: str | None,
    is_active: bool,
    groups: int,
    mfa_devices: int,
    has_password: bool,
    signed_in_at: datetime | None,
) -> ListedPerson:
    given = (user_id, user_name, user_name_key, display_name, email, is_active, groups, mfa_devices)
    return ListedPerson(*given, has_password=bool(has_password), signed_in_at=signed_in_at)


_listed = (
    select(
        _users.user_id,
        _users.user_name,
        _users.user_name_key,
        _display_name.label("display_name"),
        _users.email_key.label("email"),
        _users.is_active,
        select(func.count())
        .select_from(directory_memberships.table)
        .where(_members.identity_store_id == _users.identity_store_id, _members.user_id == _users.user_id)
        .scalar_subquery()
        .label("groups"),
        select(func.count())
        .select_from(mfa_devices.table)
        .where(_devices.account_id == _users.account_id, _devices.owner_id == _owner_id)
        .scalar_subquery()
        .label("mfa_devices"),
        exists().where(_passwords.owner_id == _owner_id).label("has_password"),
        select(func.max(_sessions.created_at))
        .where(_sessions.account_id == _users.account_id, _sessions.owner_id == _owner_id)
        .scalar_subquery()
        .label("signed_in_at"),
    )
    .where(
        _users.identity_store_id == bindparam("store_id"),
        _users.user_name_key > bindparam("after"),
        or_(
            _users.user_name_key.like(bindparam("pattern"), escape="\\"),
            _users.email_key.like(bindparam("pattern"), escape="\\"),
            func.lower(_display_name).like(bindparam("pattern"), escape="\\"),
        ),
    )
    .order_by(_users.user_name_key)
    .limit(bindparam("limit"))
)
_page = RowQuery(_row, _listed)
_page_of_group = RowQuery(
    _row,
    _listed.where(
        _users.user_id.in_(
            select(_members.user_id).where(
                _members.identity_store_id == bindparam("store_id"), _members.group_id == bindparam("group_id")
            )
        )
    ),
)


def people(db: Transaction, store_id: str, text: str, *, group_id: str, after: str, limit: int) -> list[ListedPerson]:
    """Return up to `limit` people whose name or e-mail address holds a text, by user name, from the one after `after`.

    Only those of a group, where one is named.
    """
    values: dict[str, object] = {"store_id": store_id, "pattern": containing(text), "after": after, "limit": limit}
    return _page_of_group.all(db, {**values, "group_id": group_id}) if group_id else _page.all(db, values)
