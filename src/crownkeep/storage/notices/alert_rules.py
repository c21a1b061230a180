"""Rules of accounts: filter patterns over their own records, and which rules are silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, bindparam, delete, select

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "alert_rules",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("pattern", Text, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("contact_type", String(10), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("runbook", String(1024), nullable=False),
    Column("added_by", String(2048), nullable=False),
    Column("added_at", Moment, nullable=False),
)

silences = Table(
    "alert_silences",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("reason", String(500), nullable=False),
    Column("ends_at", Moment),
    Column("silenced_by", String(2048), nullable=False),
    Column("silenced_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AlertRuleRow:
    """A rule that an account, or the operator for it, has added."""

    account_id: str
    name: str
    pattern: str
    severity: str
    contact_type: str
    """`BILLING`, `OPERATIONS` or `SECURITY`: which contact hears of it."""
    subject: str
    runbook: str
    """The address of what to do; empty where none was given."""
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class AlertSilenceRow:
    """A rule that fires for nobody: until a time, or, where none is set, until it is switched on again."""

    account_id: str
    rule: str
    reason: str
    ends_at: datetime | None
    silenced_by: str
    """An ARN; empty for the operator."""
    silenced_at: datetime


_of_account = RowQuery(AlertRuleRow, select(table).where(table.c.account_id == bindparam("of_account")).order_by(table.c.name))
_named = RowQuery(
    AlertRuleRow, select(table).where(table.c.account_id == bindparam("of_account"), table.c.name == bindparam("of_name"))
)
_with_rules = select(table.c.account_id).distinct()
_remove = delete(table).where(table.c.account_id == bindparam("of_account"), table.c.name == bindparam("of_name"))
_silences_of_account = RowQuery(
    AlertSilenceRow, select(silences).where(silences.c.account_id == bindparam("of_account")).order_by(silences.c.rule)
)
_unsilence = delete(silences).where(silences.c.account_id == bindparam("of_account"), silences.c.rule == bindparam("of_name"))
_insert = RowInsert(AlertRuleRow, table)
_insert_silence = RowInsert(AlertSilenceRow, silences)


def of_account(db: Transaction, account_id: str) -> list[AlertRuleRow]:
    """Return the rules that were added to an account, by name."""
    return _of_account.all(db, {"of_account": account_id})


def named(db: Transaction, account_id: str, name: str) -> AlertRuleRow | None:
    """Return the account's own rule with this name."""
    return _named.first(db, {"of_account": account_id, "of_name": name})


def put(db: Transaction, row: AlertRuleRow) -> None:
    """Keep a rule, in the place of the one with its name."""
    db.execute(_remove, {"of_account": row.account_id, "of_name": row.name})
    _insert.run(db, row)


def remove(db: Transaction, account_id: str, name: str) -> bool:
    """Forget a rule; returns whether there was one."""
    return db.execute(_remove, {"of_account": account_id, "of_name": name}).rowcount > 0


def silences_of(db: Transaction, account_id: str) -> list[AlertSilenceRow]:
    """Return an account's silences, ended ones too, by rule."""
    return _silences_of_account.all(db, {"of_account": account_id})


def silence(db: Transaction, row: AlertSilenceRow) -> None:
    """Keep a silence, in the place of the one of its rule."""
    db.execute(_unsilence, {"of_account": row.account_id, "of_name": row.rule})
    _insert_silence.run(db, row)


def end_silence(db: Transaction, account_id: str, rule: str) -> bool:
    """Forget a silence; returns whether there was one."""
    return db.execute(_unsilence, {"of_account": account_id, "of_name": rule}).rowcount > 0


def accounts_with_rules(db: Transaction) -> frozenset[str]:
    """Return the accounts that have rules of their own."""
    return frozenset(str(row[0]) for row in db.execute(_with_rules))
