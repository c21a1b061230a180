"""Audited credentials: the snapshot that an audit begins with, and what was decided of each credential in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, bindparam, func, select, update

from crownkeep.storage.audits import credential_audits
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, UniqueId, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

UNDECIDED = "UNDECIDED"
KEPT = "KEPT"
TO_BE_REMOVED = "TO_BE_REMOVED"
REMOVED = "REMOVED"
GONE = "GONE"

table = Table(
    "audited_credentials",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("audit_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("credential_id", String(320), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("owner_id", UniqueId, nullable=False),
    Column("owner_arn", AnyArn, nullable=False),
    Column("user_name", String(64), nullable=False),
    Column("identifier", String(256), nullable=False),
    Column("status", String(10), nullable=False),
    Column("owner_has_mfa", Boolean, nullable=False),
    Column("created_at", Moment),
    Column("changed_at", Moment),
    Column("used_at", Moment),
    Column("change", String(10), nullable=False),
    Column("state", String(14), nullable=False),
    Column("reason", String(500)),
    Column("decided_by", AnyArn),
    Column("decided_by_id", String(128)),
    Column("decided_at", Moment),
    Column("decision_event_id", String(36)),
    Column("removed_by", String(2048)),
    Column("removed_at", Moment),
    Column("removal_name", String(128)),
    Column("removal_event_id", String(36)),
    Index(None, "account_id", "audit_id", "credential_id", unique=True),
    Index(None, "account_id", "audit_id", "state", "number"),
    Index(None, "account_id", "audit_id", "change", "number"),
)


@dataclass(frozen=True, slots=True)
class AuditedCredentialRow:
    """One credential. `owner_id` is a user's unique id, or the account id for one of root, whose `user_name` is empty."""

    account_id: str
    audit_id: str
    number: int
    credential_id: str
    kind: str
    owner_id: str
    owner_arn: str
    user_name: str
    identifier: str
    status: str
    owner_has_mfa: bool
    created_at: datetime | None
    changed_at: datetime | None
    used_at: datetime | None
    change: str
    state: str
    reason: str | None = None
    decided_by: str | None = None
    decided_by_id: str | None = None
    decided_at: datetime | None = None
    decision_event_id: str | None = None
    removed_by: str | None = None
    removed_at: datetime | None = None
    removal_name: str | None = None
    removal_event_id: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialDecision:
    """What is decided of some credentials, and by whom."""

    state: str
    reason: str
    by: str
    by_id: str
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Removal:
    """The event by which a credential was removed."""

    name: str
    by: str
    at: datetime
    event_id: str


_in_audit = (table.c.account_id == bindparam("of_account"), table.c.audit_id == bindparam("of_audit"))
_ordered = select(table).where(*_in_audit).order_by(table.c.number)
_of_audit = RowQuery(AuditedCredentialRow, _ordered)
_with_ids = RowQuery(AuditedCredentialRow, _ordered.where(table.c.credential_id.in_(bindparam("credential_ids", expanding=True))))
_page = _ordered.where(table.c.number > bindparam("after")).limit(bindparam("limit"))
_conditions = {
    "state": table.c.state == bindparam("of_state"),
    "change": table.c.change == bindparam("of_change"),
    "user_key": func.lower(table.c.user_name) == bindparam("of_user_key"),
    "ids": table.c.credential_id.in_(bindparam("of_ids", expanding=True)),
}
_counts = select(table.c.state, table.c.change, func.count()).where(*_in_audit).group_by(table.c.state, table.c.change)
_is_open = (
    select(credential_audits.table.c.audit_id)
    .where(
        credential_audits.table.c.account_id == table.c.account_id,
        credential_audits.table.c.audit_id == table.c.audit_id,
        credential_audits.table.c.status == credential_audits.OPEN,
    )
    .exists()
)
# What was removed stays removed, and of a closed audit nothing is changed by any query of ours.
_decide = (
    update(table)
    .where(
        *_in_audit,
        table.c.credential_id.in_(bindparam("credential_ids", expanding=True)),
        table.c.state.in_((UNDECIDED, KEPT, TO_BE_REMOVED)),
        _is_open,
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        decided_by=bindparam("by"),
        decided_by_id=bindparam("by_id"),
        decided_at=bindparam("at"),
        decision_event_id=bindparam("event_id"),
    )
)
_remove = (
    update(table)
    .where(*_in_audit, table.c.credential_id == bindparam("of_credential"), table.c.state == TO_BE_REMOVED, _is_open)
    .values(
        state=REMOVED,
        removed_by=bindparam("by"),
        removed_at=bindparam("at"),
        removal_name=bindparam("name"),
        removal_event_id=bindparam("event_id"),
    )
)
_insert = RowInsert(AuditedCredentialRow, table)


# One statement for each choice of conditions, made at its first use: there are sixteen at most.
@cache
def _page_of(wanted: frozenset[str]) -> RowQuery[AuditedCredentialRow]:
    return RowQuery(AuditedCredentialRow, _page.where(*(_conditions[name] for name in sorted(wanted))))


def of_audit(db: Transaction, account_id: str, audit_id: str) -> list[AuditedCredentialRow]:
    """Return every credential of an audit in its order; for evidence, and for the difference to the next one."""
    return _of_audit.all(db, {"of_account": account_id, "of_audit": audit_id})


def with_ids(db: Transaction, account_id: str, audit_id: str, credential_ids: Sequence[str]) -> list[AuditedCredentialRow]:
    """Return the audit's credentials with these ids, in one query."""
    values = {"of_account": account_id, "of_audit": audit_id, "credential_ids": list(credential_ids)}
    return _with_ids.all(db, values)


def page(
    db: Transaction,
    account_id: str,
    audit_id: str,
    *,
    after: int,
    limit: int,
    wanted: Mapping[str, str | Sequence[str]],
) -> list[AuditedCredentialRow]:
    """Return up to `limit` credentials after the number `after`.

    `wanted` may hold a `state`, a `change`, a `user_key` (a name in lower case) and the `ids` of credentials that are meant.
    """
    bound = {f"of_{name}": value for name, value in wanted.items()}
    values = {"of_account": account_id, "of_audit": audit_id, "after": after, "limit": limit, **bound}
    return _page_of(frozenset(wanted)).all(db, values)


def counts(db: Transaction, account_id: str, audit_id: str) -> list[tuple[str, str, int]]:
    """Return how many credentials there are of each state and change."""
    return [(row[0], row[1], row[2]) for row in db.execute(_counts, {"of_account": account_id, "of_audit": audit_id})]


def add_all(db: Transaction, rows: Sequence[AuditedCredentialRow]) -> None:
    """Keep a snapshot, in one statement."""
    _insert.run_each(db, rows)


def decide(db: Transaction, account_id: str, audit_id: str, credential_ids: Sequence[str], decision: CredentialDecision) -> int:
    """Keep a decision on credentials of an open audit that were not removed yet, and return how many those are."""
    values = {
        "of_account": account_id,
        "of_audit": audit_id,
        "credential_ids": list(credential_ids),
        "new_state": decision.state,
        "new_reason": decision.reason,
        "by": decision.by,
        "by_id": decision.by_id,
        "at": decision.at,
        "event_id": decision.event_id,
    }
    return db.execute(_decide, values).rowcount


def remove(db: Transaction, account_id: str, audit_id: str, credential_id: str, removal: Removal) -> bool:
    """Keep that a credential of an open audit that was to be removed was; returns False where it was not to be."""
    values = {
        "of_account": account_id,
        "of_audit": audit_id,
        "of_credential": credential_id,
        "name": removal.name,
        "by": removal.by,
        "at": removal.at,
        "event_id": removal.event_id,
    }
    return db.execute(_remove, values).rowcount > 0
