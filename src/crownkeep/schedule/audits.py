"""Scheduled audits: each account is audited once a quarter, and its people hear how that came out and what has changed since.

    lease -> accounts that are due, one at a time: read on a thread -> result and event in one transaction -> a pause

The lease lets one process of many do it. What an account takes is waited for nine times over before the next one's turn, so that
audits take a tenth of one thread at most, however many accounts are due at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.advisor import credential_counts, findings
from crownkeep.alerts import own_events
from crownkeep.alerts.built_in_reviews import ACCOUNT_AUDITED
from crownkeep.operations.call import Wiring
from crownkeep.schedule import outcomes
from crownkeep.schedule.own_reader import OwnReader
from crownkeep.services.account_security.account_audits import FIRST_AFTER
from crownkeep.storage.accounts import accounts
from crownkeep.storage.audits import account_audits
from crownkeep.storage.audits.account_audits import AccountAuditRow, DueAccountRow
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.recurring import RecurringLook, WorkLease
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, Writer

FIRST_LOOK_SECONDS = 120.0
SECONDS_BETWEEN_LOOKS = 3600.0
PAUSES = 9
"""How many times as long as an audit took the next one waits."""

_LEASED_FOR = timedelta(minutes=30)
_AT_ONCE = 20
"""Accounts that are looked up at once; they are audited one by one."""
_log = logging.getLogger("crownkeep.schedule")


@dataclass(frozen=True, slots=True)
class _Audited:
    before: datetime | None
    row: AccountAuditRow
    seconds: float


class ScheduledAudits:
    """The scheduled audits of one process: a task of its event loop. Nothing happens where the setting says no days."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self._reader = OwnReader(database, wiring)
        self._every = timedelta(days=wiring.settings.audit_every_days)
        self._lease = WorkLease(writer, "account-audits", _LEASED_FOR)
        self._looks = RecurringLook(
            self.look,
            first_after=FIRST_LOOK_SECONDS,
            every=SECONDS_BETWEEN_LOOKS,
            log=_log,
            complaint="accounts can't be audited",
        )

    @property
    def is_running(self) -> bool:
        """Whether this process looks for accounts that are due."""
        return self._looks.is_running

    def start(self) -> None:
        """Begin to look, unless audits are switched off."""
        if self._every:
            self._looks.start()

    async def stop(self) -> None:
        """End; an account whose audit was not committed is still due."""
        await self._looks.stop()

    async def look(self) -> int:
        """Audit every account that is due, unless another process is at it; returns how many were."""
        if not await self._lease.take():
            return 0
        audited, unaudited = 0, set[str]()
        try:
            # Asked for anew after each few: an account that another process or a person has audited meanwhile is due no more.
            while due := await asyncio.to_thread(self._due, clock.now(), unaudited):
                for each in due:
                    # The lease ran out, and another process is at it.
                    if not await self._lease.renew():
                        return audited
                    found = await asyncio.to_thread(self._audit, each)
                    if found is None:
                        # Left out for the rest of this look, or a broken account would be tried again for ever.
                        unaudited.add(each.account_id)
                        continue
                    await self._writer.submit(lambda db, found=found: self._keep(db, found))  # type: ignore[misc]
                    audited += 1
                    await asyncio.sleep(found.seconds * PAUSES)
        finally:
            await self._lease.release()
        return audited

    def _due(self, now: datetime, unaudited: Collection[str]) -> list[DueAccountRow]:
        # Those that can't be audited stay the longest due: without room for them they would fill every list.
        limit = _AT_ONCE + len(unaudited)
        with self._database.snapshot() as db:
            found = account_audits.due(db, audited_before=now - self._every, made_before=now - FIRST_AFTER, limit=limit)
        return [each for each in found if each.account_id not in unaudited]

    def _audit(self, due: DueAccountRow) -> _Audited | None:
        """Audit an account; None where a fault of ours keeps it from being audited, until the next look."""
        began = clock.monotonic()
        try:
            gathered = self._reader.gather(due.account_id)
            row = outcomes.row_of(findings.audit(gathered), credential_counts.of(gathered))
        except DatabaseFault:
            raise
        except Exception as fault:  # noqa: BLE001 - what a tenant has in its account must keep no other one from its audit
            _log.error("account %s can't be audited", due.account_id, exc_info=fault)
            return None
        return _Audited(due.audited_at, row, clock.monotonic() - began)

    def _keep(self, db: Transaction, found: _Audited) -> Commit[None]:
        row = found.row
        if accounts.hold(db, row.account_id) is None:
            # It was purged meanwhile.
            return Commit(None, [])
        newest = next(iter(account_audits.newest(db, row.account_id, limit=1)), None)
        if (None if newest is None else newest.audited_at) != found.before:
            # The lease had run out, and another process has audited it.
            return Commit(None, [])
        account_audits.add(db, row)
        return Commit(None, [_event(row, newest)])


def _event(row: AccountAuditRow, before: AccountAuditRow | None) -> EventRow:
    changed = None if before is None else outcomes.difference(before, row)
    counted = f"{row.failed} findings fail ({row.critical} critical, {row.high} high), {row.unknown} can't be told"
    details: dict[str, object] = {
        "summary": f"{counted}; {'this was the first audit' if changed is None else changed.sentence}",
        "passed": row.passed,
        "failed": row.failed,
        "critical": row.critical,
        "high": row.high,
        "unknown": row.unknown,
        "isWorse": changed is not None and bool(changed.worse),
        "worse": [] if changed is None else list(changed.worse),
        "better": [] if changed is None else list(changed.better),
    }
    return own_events.of_account(ACCOUNT_AUDITED, row.account_id, details, now=row.audited_at)
