"""Accounts of an organization for a list that people look at: found by name, address or id, in several orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, bindparam, case, cast, func, literal, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.audits import credential_audits
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organization_accounts, organization_tags, organizational_units
from crownkeep.storage.reports.ordered_names import ListedColumns, OrderedNames
from crownkeep.storage.rows import RowQuery

JOINED = "Joined"
"""The order by when accounts joined."""
STATE = "State"
"""The order that has closed accounts first."""
ROOT_LAST_USED = "RootLastUsed"
"""The order by root's last use; a root user that was never used comes first."""
LAST_AUDIT = "LastAudit"
"""The order by the last credential audit that was signed off; an account without one comes first."""

_NEVER = 0
_Searched = String(400).with_variant(String(400, collation="C"), "postgresql")

_members, _accounts, _units = organization_accounts.table, accounts.table, organizational_units.table
_keys, _audits, _tags = access_keys.table, credential_audits.table, organization_tags.table
_both = _members.join(_accounts, _accounts.c.account_id == _members.c.account_id)
# Names of accounts may come again, so the id follows: the list goes on from both. The address is found as well.
_name = cast(
    func.lower(_accounts.c.name) + literal("/") + _accounts.c.account_id + literal("/") + _accounts.c.email_key, _Searched
)
_audited = (
    select(func.coalesce(func.max(cast(_audits.c.closed_at, BigInteger)), _NEVER))
    .where(_audits.c.account_id == _members.c.account_id, _audits.c.status == credential_audits.SIGNED_OFF)
    .correlate(_members)
    .scalar_subquery()
)
_key_used = (
    select(func.coalesce(func.max(cast(_keys.c.used_at, BigInteger)), _NEVER))
    .where(_keys.c.account_id == _members.c.account_id, _keys.c.owner_id == _keys.c.account_id)
    .correlate(_members)
    .scalar_subquery()
)
_password_used = func.coalesce(cast(_accounts.c.root_password_used_at, BigInteger), _NEVER)

LISTED = OrderedNames(
    ListedColumns(_both, _members.c.management_account_id, _members.c.account_id, _name, _members.c.parent_id),
    {
        JOINED: cast(_members.c.joined_at, BigInteger),
        STATE: case((_accounts.c.closed_at.is_(None), 1), else_=0),
        ROOT_LAST_USED: case((_password_used > _key_used, _password_used), else_=_key_used),
        LAST_AUDIT: _audited,
    },
)
"""The accounts that an account manages, itself among them; the path that limits them is the id of a root or unit."""


@dataclass(frozen=True, slots=True)
class ListedMember:
    """One account of an organization, and the unit that it is in."""

    account_id: str
    name: str
    email: str
    closed_at: datetime | None
    joined_method: str
    joined_at: datetime
    parent_id: str
    unit_name: str | None
    """None directly under the root."""


_shown = RowQuery(
    ListedMember,
    select(
        _members.c.account_id,
        _accounts.c.name,
        _accounts.c.email,
        _accounts.c.closed_at,
        _members.c.joined_method,
        _members.c.joined_at,
        _members.c.parent_id,
        _units.c.name.label("unit_name"),
    )
    .select_from(
        _both.outerjoin(
            _units, (_units.c.organization_id == _members.c.organization_id) & (_units.c.unit_id == _members.c.parent_id)
        )
    )
    .where(
        _members.c.organization_id == bindparam("organization_id", type_=String),
        _members.c.account_id.in_(bindparam("account_ids", expanding=True)),
    ),
)
_tagged = (
    select(_tags.c.entity_id, _tags.c.tag_key, _tags.c.tag_value)
    .where(
        _tags.c.organization_id == bindparam("organization_id", type_=String),
        _tags.c.entity_id.in_(bindparam("account_ids", expanding=True)),
    )
    .order_by(_tags.c.tag_key)
)


def with_ids(db: Transaction, organization_id: str, account_ids: Sequence[str]) -> dict[str, ListedMember]:
    """Return those of these accounts that are in the organization by their ids, in one query."""
    if not account_ids:
        return {}
    found = _shown.all(db, {"organization_id": organization_id, "account_ids": list(account_ids)})
    return {each.account_id: each for each in found}


def tags_of(db: Transaction, organization_id: str, account_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of these accounts in one query; those without are left out."""
    found: dict[str, dict[str, str]] = {}
    if account_ids:
        rows = db.execute(_tagged, {"organization_id": organization_id, "account_ids": list(account_ids)})
        for account_id, key, value in rows:
            found.setdefault(account_id, {})[key] = value
    return found
