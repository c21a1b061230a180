"""Names that hold a text, of users, groups, roles, policies and an organization's accounts: found within bounds.

Names that begin with the text are a range of the index. Names that hold it elsewhere are looked for in the index alone, and in no
more than `MOST_LOOKED_AT` of them, so that no account costs a search more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, Table, bindparam, func, or_, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups, roles, users
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.policies import policies
from crownkeep.storage.prepared import Prepared
from crownkeep.storage.rows import RowQuery

MOST_LOOKED_AT = 20_000
"""Names that one search looks at; more than any account's quota of users."""

BEHIND_ALL = "\U0010ffff"
"""A text that every name comes before."""
ESCAPE = "\\"


class Searched(Enum):
    """What is searched by name."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class FoundName:
    """One thing of an account whose name was found."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """One account of an organization whose name, address or id was found."""

    account_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """Names in lower case that hold a text, in their order."""

    keys: Sequence[str]
    looked_to: str
    """The name up to which was looked, where more follow; empty where all were looked at, or enough was found."""


_TABLES: dict[Searched, Table] = {
    Searched.USER: users.table,
    Searched.GROUP: groups.table,
    Searched.ROLE: roles.table,
    Searched.POLICY: policies.table,
}
_limit = bindparam("limit", type_=Integer)


def _in_account(table: Table) -> ColumnElement[bool]:
    return table.c.account_id == bindparam("account_id")


def _beginning(table: Table) -> RowQuery[FoundName]:
    key = table.c.name_key
    between = (key >= bindparam("text", type_=String), key < bindparam("end", type_=String))
    return RowQuery(FoundName, select(table.c.name, table.c.path).where(_in_account(table), *between).order_by(key).limit(_limit))


def _looked_at(table: Table) -> Select[Any]:
    key = table.c.name_key
    return select(key).where(_in_account(table), key > bindparam("after", type_=String)).order_by(key).limit(MOST_LOOKED_AT)


def _holding(table: Table) -> Prepared:
    key = _looked_at(table).subquery().c.name_key
    return Prepared(select(key).where(key.like(bindparam("pattern", type_=String), escape=ESCAPE)).order_by(key).limit(_limit))


def _with_keys(table: Table) -> RowQuery[FoundName]:
    key = table.c.name_key
    named = key.in_(bindparam("keys", expanding=True))
    return RowQuery(FoundName, select(table.c.name, table.c.path).where(_in_account(table), named).order_by(key))


_beginnings = {kind: _beginning(table) for kind, table in _TABLES.items()}
_holdings = {kind: _holding(table) for kind, table in _TABLES.items()}
_lasts = {kind: Prepared(_looked_at(table).offset(MOST_LOOKED_AT - 1).limit(1)) for kind, table in _TABLES.items()}
_names = {kind: _with_keys(table) for kind, table in _TABLES.items()}

_members = organization_accounts.table
_some_members = (
    select(_members.c.account_id)
    .where(_members.c.organization_id == bindparam("organization_id"))
    .order_by(_members.c.account_id)
    .limit(MOST_LOOKED_AT)
    .subquery()
)
_pattern = bindparam("pattern", type_=String)
_accounts = RowQuery(
    FoundAccount,
    select(accounts.table.c.account_id, accounts.table.c.name, accounts.table.c.email)
    .join(_some_members, _some_members.c.account_id == accounts.table.c.account_id)
    .where(
        or_(
            func.lower(accounts.table.c.name).like(_pattern, escape=ESCAPE),
            accounts.table.c.email_key.like(_pattern, escape=ESCAPE),
            accounts.table.c.account_id.like(_pattern, escape=ESCAPE),
        )
    )
    .order_by(func.lower(accounts.table.c.name), accounts.table.c.account_id)
    .limit(_limit),
)


def beginning_with(db: Transaction, kind: Searched, account_id: str, text: str, *, limit: int) -> list[FoundName]:
    """Return up to `limit` things whose names begin with a text, without regard to case."""
    values = {"account_id": account_id, "text": text.lower(), "end": text.lower() + BEHIND_ALL, "limit": limit}
    return _beginnings[kind].all(db, values)


def holding(db: Transaction, kind: Searched, account_id: str, text: str, *, limit: int) -> list[FoundName]:
    """Return up to `limit` things whose names hold a text anywhere, without regard to case."""
    found = keys_holding(db, kind, account_id, text, after="", limit=limit)
    return _names[kind].all(db, {"account_id": account_id, "keys": list(found.keys)}) if found.keys else []


def keys_holding(db: Transaction, kind: Searched, account_id: str, text: str, *, after: str, limit: int) -> FoundKeys:
    """Return up to `limit` names in lower case that hold a text, from the one after `after`."""
    values = {"account_id": account_id, "after": after, "pattern": pattern_of(text), "limit": limit}
    keys = [key for (key,) in _holdings[kind].all(db, values)]
    last = _lasts[kind].first(db, {"account_id": account_id, "after": after}) if len(keys) < limit else None
    return FoundKeys(keys, str(last[0]) if last else "")


def accounts_holding(db: Transaction, organization_id: str, text: str, *, limit: int) -> list[FoundAccount]:
    """Return up to `limit` accounts of an organization whose name, address or id holds a text, by name."""
    return _accounts.all(db, {"organization_id": organization_id, "pattern": pattern_of(text), "limit": limit})


def pattern_of(text: str) -> str:
    """Return the pattern of LIKE for what holds a text, letter for letter."""
    escaped = "".join(f"{ESCAPE}{each}" if each in f"%_{ESCAPE}" else each for each in text.lower())
    return f"%{escaped}%"
