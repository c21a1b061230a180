"""A fork of an installation's state in a directory of its own, with a door of its own: what is done there stays there.

Nothing is delivered from it, for nothing that delivers is started: no mail, no webhooks, no log files. The trail, and whatever
waits to be sent, stay behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from crownkeep.alerts.observer import Observer
from crownkeep.alerts.sealed_outbox import SealedOutbox
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.standing import Standings
from crownkeep.storage import copying, migrate
from crownkeep.storage.database import Database
from crownkeep.storage.writer import Writer

_LEFT_BEHIND = frozenset(
    {
        "access_reports",
        "alert_digests",
        "alert_receivers",
        "browser_sessions",
        "credential_reports",
        "delivered_files",
        "deliveries",
        "digest_chains",
        "event_resources",
        "events",
        "one_time_links",
        "outbox",
        "service_uses",
        "sign_in_nonces",
        "signin_throttles",
        "tallies",
    }
)
"""What grows without end, could be sent, or is of the moment."""
_TRAIL = "trail"
_CHEAP = {"argon2_memory_kib": 8, "argon2_iterations": 1, "argon2_lanes": 1}
"""Nobody keeps the passwords of a drill."""


@asynccontextmanager
async def forked(source: Database, wiring: Wiring) -> AsyncIterator[tuple[Database, Door]]:
    """Copy the state and open a door to the copy; all of it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-drill-") as place:
        url = f"sqlite:///{Path(place) / 'fork.db'}"
        # The operator's own settings, but for where mail would go: that, too, nobody starts.
        changed = {**_CHEAP, "data": place, "database": url, "smtp_host": "", "smtp_username": "", "smtp_password_file": ""}
        settings = msgspec.structs.replace(wiring.settings, root_needs_phishing_resistant_mfa=False, **changed)
        database = Database(url)
        try:
            _copy(source, database)
            # The same keys: a drill opens seeds as the installation would, and nothing sealed leaves the directory.
            outbox = Observer(SealedOutbox(wiring.keyring))
            writer = Writer(database, outbox.observe)
            door = Door(database, writer, Wiring(settings, wiring.keyring, Standings(wiring.keyring), outbox))
            try:
                yield database, door
            finally:
                await writer.stop()
                door.close()
        finally:
            database.close()


def _copy(source: Database, target: Database) -> None:
    migrate.upgrade(target)
    with source.snapshot() as old, target.transaction() as new:
        for name in copying.tables():
            if name in _LEFT_BEHIND or name.startswith(_TRAIL):
                continue
            # Some tables have rows from the first step on: what is copied takes their place.
            copying.clear(new, name)
            columns = copying.columns(name)
            for rows in copying.rows(old, name):
                copying.add(new, name, columns, rows)
