"""When services were last used in the accounts below a root or unit, for reports on organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, distinct, func, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import Moment
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.organizations.organization_subtrees import accounts_under
from crownkeep.storage.reports import service_uses
from crownkeep.storage.rows import RowQuery

_uses = service_uses.table
_members = organization_accounts.table


@dataclass(frozen=True, slots=True)
class OrganizationUse:
    """The last use of one service in any of the accounts."""

    service: str
    account_id: str
    parent_id: str
    """The root or unit that the account is directly under."""
    region: str
    used_at: datetime


_within = (
    _uses.c.account_id.in_(accounts_under("of_target")),
    _uses.c.used_at >= bindparam("since", type_=Moment),
)
_ranked = (
    select(
        _uses.c.service,
        _uses.c.account_id,
        _members.c.parent_id,
        _uses.c.region,
        _uses.c.used_at,
        func.row_number()
        .over(partition_by=_uses.c.service, order_by=(_uses.c.used_at.desc(), _uses.c.account_id))
        .label("place"),
    )
    .join(_members, _members.c.account_id == _uses.c.account_id)
    .where(*_within)
    .subquery()
)
_latest = RowQuery(
    OrganizationUse,
    select(_ranked.c.service, _ranked.c.account_id, _ranked.c.parent_id, _ranked.c.region, _ranked.c.used_at).where(
        _ranked.c.place == 1
    ),
)
_counts = select(_uses.c.service, func.count(distinct(_uses.c.account_id))).where(*_within).group_by(_uses.c.service)


def latest(db: Transaction, organization_id: str, entity_id: str, since: datetime) -> dict[str, OrganizationUse]:
    """Return the last use of each service since a moment, by the service's prefix, in one query."""
    values = {"of_organization": organization_id, "of_target": entity_id, "since": since}
    return {use.service: use for use in _latest.all(db, values)}


def counts(db: Transaction, organization_id: str, entity_id: str, since: datetime) -> dict[str, int]:
    """Return in how many of the accounts each service was used since a moment."""
    values = {"of_organization": organization_id, "of_target": entity_id, "since": since}
    return {row[0]: row[1] for row in db.execute(_counts, values)}
