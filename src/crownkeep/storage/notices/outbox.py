"""The outbox: notices that wait to be sent, each until it has gone out or is given up; their contents are sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, Moment, metadata
from crownkeep.storage.notices import leases
from crownkeep.storage.rows import RowInsert, RowQuery

table = Table(
    "outbox",
    metadata,
    # The column keeps its first name: renaming it would change every installation's table for nothing.
    Column("letter_id", String(32), key="notice_id", primary_key=True),
    Column("account_id", AccountId, nullable=False, index=True),
    Column("recipient", String(254), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("sealed_values", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_fault", Text, nullable=False),
    Column("channel", String(10), nullable=False, server_default="mail"),
    Column("receiver_id", String(32), nullable=False, server_default="", index=True),
    Column("lane", String(64), nullable=False, server_default=""),
    Column("rule", String(64), nullable=False, server_default=""),
    Column("given_up_at", Moment, index=True),
    Index(None, "due_at", "notice_id"),
    Index(None, "lane", "notice_id"),
)

MAIL, WEBHOOK, SYSLOG, DIRECTORY, APPRISE = "mail", "webhook", "syslog", "directory", "apprise"
"""The channels that a notice leaves by."""
KEPT_DEAD_FOR = timedelta(days=30)
"""How long a notice that was given up can be sent again by hand."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice. `kind` names its template, `sealed_values` what it says; the ids are ordered by time.

    A notice without a recipient is nobody's: it is thrown away when it is due (`signin.recovery` says why there are such).
    """

    notice_id: str
    account_id: str
    recipient: str
    kind: str
    sealed_values: bytes
    created_at: datetime
    due_at: datetime
    claimed_until: datetime
    """Of versions that claimed each notice by itself; today whoever sends it holds a lease of its lane."""
    attempts: int = 0
    last_fault: str = ""
    channel: str = MAIL
    receiver_id: str = ""
    """The account's receiver that it is for; empty for mail to contacts and to root."""
    lane: str = ""
    """Notices of one lane leave in the order they were written, one at a time."""
    rule: str = ""
    """The rule that fired, for alerts."""
    given_up_at: datetime | None = None
    """Since when it is not tried any more; it can be sent again by hand."""


_this = table.c.notice_id == bindparam("of_notice")
_with_id = RowQuery(NoticeRow, select(table).where(_this))
_waits = table.c.given_up_at.is_(None)
_ahead = table.alias("ahead")
# The first of each lane: what stands behind it waits, also where the first is not due yet.
_heads = RowQuery(
    NoticeRow,
    select(table)
    .where(
        _waits,
        table.c.due_at <= bindparam("now"),
        # The order of a lane is kept by the query itself: nothing is due behind something that waits.
        ~exists().where(_ahead.c.lane == table.c.lane, _ahead.c.notice_id < table.c.notice_id, _ahead.c.given_up_at.is_(None)),
        # Lanes that another process sends are passed over, without waiting for it.
        ~exists().where(leases.table.c.lane == table.c.lane, leases.table.c.leased_until > bindparam("now")),
    )
    .order_by(table.c.due_at, table.c.notice_id)
    .limit(bindparam("limit")),
)
_of_lane = RowQuery(
    NoticeRow,
    select(table).where(table.c.lane == bindparam("of_lane"), _waits).order_by(table.c.notice_id).limit(bindparam("limit")),
)
_postpone = (
    update(table)
    .where(_this)
    .values(
        due_at=bindparam("new_due_at"),
        claimed_until=bindparam("new_claimed_until"),
        attempts=bindparam("new_attempts"),
        last_fault=bindparam("new_fault"),
    )
)
_postpone_lane = (
    update(table)
    # Only what would be due before: the end of quiet hours is not brought forward.
    .where(table.c.lane == bindparam("of_lane"), table.c.due_at < bindparam("new_due_at"), _waits)
    .values(due_at=bindparam("new_due_at"))
)
_give_up = (
    update(table)
    .where(_this)
    .values(given_up_at=bindparam("at"), attempts=bindparam("new_attempts"), last_fault=bindparam("new_fault"))
)
_replay = (
    update(table)
    .where(_this, table.c.account_id == bindparam("of_account"), table.c.given_up_at.is_not(None))
    .values(given_up_at=None, attempts=0, due_at=bindparam("now"))
)
_forget_dead = delete(table).where(table.c.given_up_at < bindparam("before"))
_forget_receiver = delete(table).where(table.c.receiver_id == bindparam("of_receiver"))
_dead = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.account_id == bindparam("of_account"), table.c.given_up_at.is_not(None))
    .order_by(table.c.notice_id.desc())
    .limit(bindparam("limit")),
)
_count_waiting = select(func.count()).select_from(table).where(table.c.receiver_id == bindparam("of_receiver"), _waits)
_remove = delete(table).where(_this)
_page = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.notice_id > bindparam("after"), table.c.recipient != "", _waits)
    .order_by(table.c.notice_id)
    .limit(bindparam("limit")),
)
# What waits for the end of quiet hours was never tried and is not due: nothing is wrong with it.
_stuck_mail = RowQuery(
    NoticeRow,
    select(table)
    .where(
        table.c.channel == MAIL,
        table.c.recipient != "",
        table.c.created_at <= bindparam("before"),
        or_(table.c.attempts > 0, table.c.due_at <= bindparam("before")),
        _waits,
    )
    .order_by(table.c.notice_id)
    .limit(1),
)
_latest = RowQuery(
    NoticeRow,
    select(table)
    .where(table.c.account_id == bindparam("of_account"), table.c.recipient != "", _waits)
    .order_by(table.c.notice_id.desc())
    .limit(bindparam("limit")),
)
_insert = RowInsert(NoticeRow, table)


def with_id(db: Transaction, notice_id: str) -> NoticeRow | None:
    """Return the notice with this id that has not gone out yet."""
    return _with_id.first(db, {"of_notice": notice_id})


def add(db: Transaction, row: NoticeRow) -> None:
    """Put a notice into the outbox; it goes out when the transaction has committed."""
    _insert.run(db, row)


def heads(db: Transaction, *, now: datetime, limit: int) -> list[NoticeRow]:
    """Return the first notices of lanes that may be sent now and that no process has leased, the longest due first."""
    return _heads.all(db, {"now": now, "limit": limit})


def of_lane(db: Transaction, lane: str, *, limit: int) -> list[NoticeRow]:
    """Return the first notices of a lane in their order, due or not."""
    return _of_lane.all(db, {"of_lane": lane, "limit": limit})


def postpone(db: Transaction, notice_id: str, *, due_at: datetime, attempts: int, fault: str) -> None:
    """Let a notice wait for another attempt, for whoever claims it then."""
    values = {"new_due_at": due_at, "new_claimed_until": due_at, "new_attempts": attempts, "new_fault": fault}
    db.execute(_postpone, {"of_notice": notice_id, **values})


def postpone_lane(db: Transaction, lane: str, *, due_at: datetime) -> None:
    """Let all that stands behind a notice wait as long as it does, so that nobody looks through it meanwhile."""
    db.execute(_postpone_lane, {"of_lane": lane, "new_due_at": due_at})


def give_up(db: Transaction, notice_id: str, *, at: datetime, attempts: int, fault: str) -> bool:
    """Try a notice no more, but keep it to be sent again by hand; returns False where another process has ended it."""
    return db.execute(_give_up, {"of_notice": notice_id, "at": at, "new_attempts": attempts, "new_fault": fault}).rowcount > 0


def forget_dead(db: Transaction, *, now: datetime) -> None:
    """Forget notices that were given up more than KEPT_DEAD_FOR ago."""
    db.execute(_forget_dead, {"before": now - KEPT_DEAD_FOR})


def forget_receiver(db: Transaction, receiver_id: str) -> None:
    """Forget what waits for a receiver that is no more."""
    db.execute(_forget_receiver, {"of_receiver": receiver_id})


def dead(db: Transaction, account_id: str, *, limit: int) -> list[NoticeRow]:
    """Return an account's notices that were given up, the latest written first."""
    return _dead.all(db, {"of_account": account_id, "limit": limit})


def count_waiting(db: Transaction, receiver_id: str) -> int:
    """Return how many notices wait for a receiver."""
    return int(db.execute(_count_waiting, {"of_receiver": receiver_id}).scalar() or 0)


def replay(db: Transaction, account_id: str, notice_id: str, *, now: datetime) -> bool:
    """Let a notice that was given up be tried again at once; returns whether there was one."""
    return db.execute(_replay, {"of_notice": notice_id, "of_account": account_id, "now": now}).rowcount > 0


def remove(db: Transaction, notice_id: str) -> bool:
    """Forget a notice that was sent or is given up; returns False where another process has forgotten it."""
    # Two processes may both have sent it, after a lease ran out; one of them ends it.
    return db.execute(_remove, {"of_notice": notice_id}).rowcount > 0


def latest(db: Transaction, account_id: str, *, limit: int) -> list[NoticeRow]:
    """Return the last of an account's notices that wait, the latest written first."""
    return _latest.all(db, {"of_account": account_id, "limit": limit})


def stuck_mail(db: Transaction, *, before: datetime) -> NoticeRow | None:
    """Return the oldest mail, written before a moment, that did not leave although it was due; None where there is none."""
    return _stuck_mail.first(db, {"before": before})


def page(db: Transaction, *, after: str, limit: int) -> list[NoticeRow]:
    """Return up to `limit` waiting notices in the order they were written, from the one after `after`; for the operator."""
    return _page.all(db, {"after": after, "limit": limit})
