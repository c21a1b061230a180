"""A rehearsal: one drill on a fork, from the copy to the report."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from crownkeep import clock
from crownkeep.drills.fork import forked
from crownkeep.drills.report import DrillName, DrillReport, WayClosed
from crownkeep.drills.scenarios import SCENARIOS, past_the_seal
from crownkeep.drills.stage import DrillStage
from crownkeep.operations.call import Wiring
from crownkeep.storage.database import Database


def rehearse(name: DrillName, account_id: str, *, source: Database, wiring: Wiring) -> DrillReport:
    """Carry out a drill for an account and report on it; the source is only read."""
    # A thread of its own: whoever calls may run an event loop already.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="drill") as thread:
        return thread.submit(lambda: asyncio.run(_rehearsed(name, account_id, source, wiring))).result()


async def _rehearsed(name: DrillName, account_id: str, source: Database, wiring: Wiring) -> DrillReport:
    report = DrillReport(name, account_id)
    async with forked(source, wiring) as (database, door):
        began = clock.monotonic()
        try:
            stage = DrillStage.set_up(database, door, account_id)
            await past_the_seal(stage, report)
            await SCENARIOS[name](stage, report)
            report.worked = True
        except WayClosed as closed:
            # A step that failed has its reason already. A way that closed between two steps has it nowhere else.
            if not report.steps or report.steps[-1].worked:
                report.remarks.append(str(closed))
        report.seconds = clock.monotonic() - began
    return report
