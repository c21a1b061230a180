"""Reviews: a daily look for what no request brings about, such as a key that gets too old, or a certificate about to expire.

    lease -> one page of each kind, read on a thread -> an event for each thing, and how far that came, in one transaction

Each thing is told once for each of its thresholds, by an event in its account's trail that rules fire for. The lease is held for
a day, so of several processes one looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crownkeep import clock
from crownkeep.alerts import own_events
from crownkeep.audit.event import moment
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.notices import overdue, reviews
from crownkeep.storage.notices.overdue import OverdueRow
from crownkeep.storage.notices.reviews import ReviewRow
from crownkeep.storage.recurring import RecurringLook, WorkLease
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, Writer

FIRST_LOOK_SECONDS = 60.0
SECONDS_BETWEEN_LOOKS = 3600.0
EVERY = timedelta(hours=23)
PAGE = 500
"""Things of one kind that are told in one transaction."""

_LEASED_FOR = timedelta(minutes=10)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_log = logging.getLogger("crownkeep.alerts")


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that is looked for."""

    event: str
    what: str
    query: RowQuery[OverdueRow]
    days: tuple[int, ...]
    """How old it may get; or, where it ends, how long before its end it is told. The gravest comes last."""
    ends: bool = False


KINDS = (
    Kind("CredentialOverAge", "access key", overdue.ACCESS_KEYS, (90, 180, 365)),
    Kind("CredentialOverAge", "password", overdue.PASSWORDS, (90, 180, 365)),
    Kind("RootPasswordOverAge", "root password", overdue.ROOT_PASSWORDS, (365, 730)),
    Kind("CertificateExpires", "server certificate", overdue.SERVER_CERTIFICATES, (30, 7), ends=True),
    Kind("CertificateExpires", "signing certificate", overdue.SIGNING_CERTIFICATES, (30, 7), ends=True),
    Kind("CertificateExpires", "SAML provider", overdue.SAML_PROVIDERS, (30, 7), ends=True),
    Kind("HardwareTokenNotReturned", "hardware token", overdue.HARDWARE_TOKENS, (0,)),
    Kind("CredentialAuditDue", "quarterly audit", overdue.AUDITS, (92, 184, 276)),
)


@dataclass(frozen=True, slots=True)
class _Found:
    review: ReviewRow
    events: Sequence[EventRow]
    is_full: bool


class Reviews:
    """The reviews of one process: a task of its event loop."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._lease = WorkLease(writer, "reviews", _LEASED_FOR)
        self._looks = RecurringLook(
            self.look,
            first_after=FIRST_LOOK_SECONDS,
            every=SECONDS_BETWEEN_LOOKS,
            log=_log,
            complaint="what is due can't be looked for",
        )

    def start(self) -> None:
        """Begin to look."""
        self._looks.start()

    async def stop(self) -> None:
        """End; what was not committed is found again."""
        await self._looks.stop()

    async def look(self) -> int:
        """Tell what is due, unless another process has done so today; returns how many things."""
        if not await self._lease.take():
            return 0
        answer, goes_on = 0, True
        while goes_on:
            found = await asyncio.to_thread(self._read, clock.now())
            await self._writer.submit(lambda db, found=found: self._keep(db, found))  # type: ignore[misc]
            answer += sum(len(each.events) for each in found)
            goes_on = any(each.is_full for each in found)
        return answer

    def _read(self, now: datetime) -> list[_Found]:
        # One snapshot for all kinds: what is told together was true at one moment.
        with self._database.snapshot() as db:
            return [_look(db, kind, days, now) for kind in KINDS for days in kind.days]

    def _keep(self, db: Transaction, found: Sequence[_Found]) -> Commit[None]:
        for each in found:
            reviews.put(db, each.review)
        goes_on = any(each.is_full for each in found)
        # Once all is told, the lease is kept for the day: it is what tells other processes that today's look was taken.
        self._lease.extend(db, _LEASED_FOR if goes_on else EVERY)
        return Commit(None, [event for each in found for event in each.events])


def _look(db: Transaction, kind: Kind, days: int, now: datetime) -> _Found:
    name = f"{kind.what} {days}"
    # What ended long before the first look is no news; what is too old is.
    first = ReviewRow(name, now if kind.ends else _LONG_AGO, "")
    after = reviews.named(db, name) or first
    rows = overdue.page(db, kind.query, after, until=_limit(kind, days, now), limit=PAGE)
    reached = ReviewRow(name, rows[-1].moment, rows[-1].subject_id) if rows else after
    # What has reached the next threshold as well is told for that one.
    further = kind.days[kind.days.index(days) + 1 :]
    news = [row for row in rows if not (further and row.moment <= _limit(kind, further[0], now))]
    return _Found(reached, [_event(kind, days, row, now) for row in news], len(rows) == PAGE)


def _limit(kind: Kind, days: int, now: datetime) -> datetime:
    span = timedelta(days=days)
    return now + span if kind.ends else now - span


def _event(kind: Kind, days: int, row: OverdueRow, now: datetime) -> EventRow:
    details = {"what": kind.what, "id": row.subject_id, "ends" if kind.ends else "since": moment(row.moment), "days": days}
    return own_events.of_account(kind.event, row.account_id, details, now=now)
