"""What is over age, about to expire or due, in all accounts: read in pages, in the order of moments, for reviews alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, func, or_, select

from crownkeep.storage.accounts import accounts
from crownkeep.storage.audits import credential_audits
from crownkeep.storage.credentials import access_keys, hardware_tokens, login_profiles, server_certificates, signing_certificates
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import saml_providers
from crownkeep.storage.notices.reviews import ReviewRow
from crownkeep.storage.rows import RowQuery

# Nobody can do anything about what is overdue in a closed account.
_ACTIVE = accounts.table.c.state == "ACTIVE"


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """One thing: whose it is, by which id it is known, and its moment: when it was made, or when it ends."""

    account_id: str
    subject_id: str
    moment: datetime


def _page(
    source: FromClause, account_id: ColumnElement[str], subject_id: ColumnElement[str], moment: ColumnElement[datetime]
) -> Select[Any]:
    # By the moment and then by the id: many things may have one moment, and none may be told twice or left out.
    after_it = or_(moment > bindparam("at"), and_(moment == bindparam("at"), subject_id > bindparam("id")))
    columns: list[ColumnElement[Any]] = [account_id.label("account_id"), subject_id.label("subject_id"), moment.label("moment")]
    return (
        select(*columns)
        .select_from(source)
        .where(moment <= bindparam("until"), after_it)
        .order_by(moment, subject_id)
        .limit(bindparam("limit"))
    )


def _of(source: FromClause, subject_id: str, moment: str) -> Select[Any]:
    return _page(source, source.c.account_id, source.c[subject_id], source.c[moment])


_audited = (
    select(credential_audits.table.c.account_id, func.max(credential_audits.table.c.started_at).label("at"))
    .group_by(credential_audits.table.c.account_id)
    .subquery()
)
_last_audit = func.coalesce(_audited.c.at, accounts.table.c.created_at)
_accounts = accounts.table.outerjoin(_audited, _audited.c.account_id == accounts.table.c.account_id)

ACCESS_KEYS = RowQuery(
    OverdueRow, _of(access_keys.table, "access_key_id", "created_at").where(access_keys.table.c.status == "Active")
)
PASSWORDS = RowQuery(OverdueRow, _of(login_profiles.table, "user_id", "changed_at"))
ROOT_PASSWORDS = RowQuery(OverdueRow, _of(accounts.table, "account_id", "root_password_changed_at").where(_ACTIVE))
SERVER_CERTIFICATES = RowQuery(OverdueRow, _of(server_certificates.table, "certificate_id", "expires_at"))
SIGNING_CERTIFICATES = RowQuery(
    OverdueRow,
    _of(signing_certificates.table, "certificate_id", "expires_at").where(signing_certificates.table.c.status == "Active"),
)
SAML_PROVIDERS = RowQuery(OverdueRow, _of(saml_providers.table, "provider_id", "valid_until"))
_tokens = hardware_tokens.table
HARDWARE_TOKENS = RowQuery(OverdueRow, _page(_tokens, _tokens.c.of_account, _tokens.c.serial, _tokens.c.due_at))
AUDITS = RowQuery(
    OverdueRow, _page(_accounts, accounts.table.c.account_id, accounts.table.c.account_id, _last_audit).where(_ACTIVE)
)


def page(db: Transaction, query: RowQuery[OverdueRow], after: ReviewRow, *, until: datetime, limit: int) -> list[OverdueRow]:
    """Return what has its moment until then and stands behind a place, the earliest first."""
    return query.all(db, {"at": after.reached_at, "id": after.reached_id, "until": until, "limit": limit})
