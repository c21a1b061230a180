"""The wiring: from settings to a running house. Nothing else knows all the rooms."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from crownkeep import data_directory, services
from crownkeep.console.pages import create_pages
from crownkeep.credentials.secret import Secret
from crownkeep.data_directory import DataDirectory
from crownkeep.gateway.asgi import Server
from crownkeep.gateway.http import Edge, Receive, Scope, Send
from crownkeep.gateway.pipeline import Pipeline
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.standing import Standings
from crownkeep.settings import Settings
from crownkeep.storage import migrate
from crownkeep.storage.database import Database, DatabaseFault
from crownkeep.storage.writer import Writer

_log = logging.getLogger("crownkeep")


@dataclass(slots=True)
class Running:
    """A house that serves: what the ASGI application asks for and what must be closed in the end."""

    database: Database
    writer: Writer
    door: Door
    pipeline: Pipeline
    pages: Callable[[Scope, Receive, Send], Awaitable[None]]

    def is_ready(self) -> bool:
        """Answer whether the database answers."""
        try:
            with self.database.snapshot() as db:
                db.exec_driver_sql("SELECT 1")
        except DatabaseFault:
            return False
        return True

    def writer_queue(self) -> int:
        """Answer how many works wait for the writer."""
        return self.writer.depth


def create_app(settings: Settings) -> Server[Running]:
    """Make the ASGI application; the house is opened when the server starts and closed when it stops."""

    async def start() -> Running:
        directory = data_directory.prepare(settings)
        return _open(settings, directory)

    async def stop(running: Running) -> None:
        await running.writer.stop()
        running.door.close()
        running.database.close()

    return Server(start, stop, Edge(settings.trusted_proxies))


def open_wiring(settings: Settings, directory: DataDirectory) -> tuple[Database, Wiring]:
    """Open the database, brought up to date, and what calls need; for the server and for commands beside it."""
    services.load()
    database = Database(settings.database_url)
    migrate.upgrade(database)
    return database, Wiring(settings, directory.keyring, Standings(directory.keyring))


def _open(settings: Settings, directory: DataDirectory) -> Running:
    database, wiring = open_wiring(settings, directory)
    writer = Writer(database)
    door = Door(database, writer, wiring)
    token: Secret = directory.operator_token
    return Running(database, writer, door, Pipeline(door, token), create_pages())
