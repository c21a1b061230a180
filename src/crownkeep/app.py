"""The wiring: from settings to a running house. Nothing else knows all the rooms."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crownkeep import clock, data_directory, services, supervision
from crownkeep.alerts import channels, observer
from crownkeep.alerts.channels import Channel
from crownkeep.alerts.checkpoint_mail import CheckpointMail
from crownkeep.alerts.delivery import Delivery
from crownkeep.alerts.observer import Observer
from crownkeep.alerts.reviews import Reviews
from crownkeep.alerts.sealed_outbox import SealedOutbox
from crownkeep.backups.replication import Replication
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.data_directory import DataDirectory, KeyFileWatch, UnusableDataDirectory
from crownkeep.domain import trail_keys
from crownkeep.domain.accounts import key_check
from crownkeep.domain.accounts.key_check import WrongSealingKey
from crownkeep.gateway import authenticate, open_files
from crownkeep.gateway.asgi import Server
from crownkeep.gateway.connections import ConnectionLimits, Connections
from crownkeep.gateway.http import Edge, Receive, Scope, Send
from crownkeep.gateway.late import LateApplication
from crownkeep.gateway.pipeline import Pipeline
from crownkeep.operations import permissions
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.standing import Standings
from crownkeep.operations.streams import Streams
from crownkeep.schedule.audits import ScheduledAudits
from crownkeep.settings import Settings
from crownkeep.storage import migrate
from crownkeep.storage.database import Database, DatabaseFault
from crownkeep.storage.trail import sealed_files
from crownkeep.storage.writer import Writer
from crownkeep.trail import publishing
from crownkeep.trail.delivery import TrailDelivery
from crownkeep.trail.keeping import TrailKeeping
from crownkeep.trail.publishing import Published
from crownkeep.trail.sequencer import Sequencer
from crownkeep.trail.witness import Witness, WitnessAnswer
from crownkeep.trail.witnesses import Mailing, Witnesses

if TYPE_CHECKING:
    from crownkeep.gateway.traces import Traces

_log = logging.getLogger("crownkeep")
_SECONDS_BETWEEN_LOOKS = 1.0
_SWITCH_SECONDS = 0.0001

Pages = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(slots=True)
class Running:
    """A house that serves: what the ASGI application asks for and what must be closed in the end."""

    database: Database
    writer: Writer
    door: Door
    pipeline: Pipeline
    pages: Pages
    tasks: tuple[asyncio.Task[None], ...]
    delivery: Delivery
    sequencer: Sequencer
    witnesses: Witnesses
    witness: Witness
    observers: tuple[Secret, ...]
    trail_delivery: TrailDelivery
    reviews: Reviews
    keeping: TrailKeeping
    audits: ScheduledAudits
    replication: Replication
    traces: Traces | None

    def is_ready(self) -> bool:
        """Tell whether the database answers."""
        try:
            with self.database.snapshot() as db:
                db.exec_driver_sql("SELECT 1")
        except DatabaseFault:
            return False
        return True

    def may_observe(self, authorization: str) -> bool:
        """Tell whether an Authorization header opens the metrics: by their own token, or the operator's."""
        return any(authenticate.bearer_matches(authorization, token) for token in self.observers)

    def writer_queue(self) -> int:
        """Return how many works wait for the writer."""
        return self.writer.depth

    def caches(self) -> Mapping[str, int]:
        """Return about how many bytes each cache holds that grows with what callers ask for."""
        return {
            "compiled_policies": permissions.bytes_held(),
            "standings": self.door.wiring.standings.bytes,
            "shares": self.pipeline.shares.bytes_held(),
        }

    def published(self, path: str) -> bytes | None:
        """Return what the issuer of an account's web identities publishes at a path, None where that is nothing."""
        from crownkeep.domain.credentials import outbound_identity  # with the libraries of tokens, which few accounts issue

        with self.database.snapshot() as db:
            return outbound_identity.document(db, self.door.wiring.settings, path, now=clock.now())

    def transparent(self, path: str) -> Published | None:
        """Return what the trail publishes at a path beneath `/tlog/`, None where that is nothing."""
        with self.database.snapshot() as db:
            return publishing.published(db, path)

    @property
    def streams(self) -> Streams:
        """The reads that go on."""
        return self.door.streams

    async def cosign(self, method: str, path: str, body: bytes) -> WitnessAnswer:
        """Return what the witness answers at a path beneath `/tlog-witness/`."""
        return await self.witness.answer(method, path, body)


def create_app(settings: Settings) -> Server[Running]:
    """Make the ASGI application; the house is opened when the server starts and closed when it stops."""

    async def start() -> Running:
        # A thread that computes gives way to the event loop after a tenth of a millisecond, not after Python's five milliseconds:
        # a request asks for the interpreter's lock anew each time that the database has answered.
        sys.setswitchinterval(_SWITCH_SECONDS)
        directory = data_directory.prepare(settings)
        return _open(settings, directory, edge)

    async def stop(running: Running) -> None:
        supervision.tell(supervision.STOPPING)
        for task in running.tasks:
            task.cancel()
        await running.reviews.stop()
        await running.keeping.stop()
        await running.audits.stop()
        await running.replication.stop()
        await running.delivery.stop()
        await running.witnesses.stop()
        await running.trail_delivery.stop()
        await running.sequencer.stop()
        await running.writer.stop()
        running.door.close()
        running.witness.close()
        running.database.close()
        if running.traces is not None:
            await running.traces.stop()

    edge = Edge(settings.trusted_proxies)
    connections = Connections(_connection_limits(settings), is_exempt=edge.speaks_for_many)
    slow_after = settings.slow_request_milliseconds / 1_000 or math.inf
    return Server(start, stop, edge, connections, slow_after)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    # Connections whose TLS handshake is going on take files and are not counted yet.
    handshakes = settings.connections if settings.tls_certificate else 0
    files = open_files.raise_limit(settings.connections + handshakes + open_files.KEPT)
    total = min(settings.connections, max(files - open_files.KEPT, files // 2))
    if total < settings.connections:
        _log.warning("%d connections at most, as only %d files may be open: raise that limit (`ulimit -n`)", total, files)
    return ConnectionLimits(
        total=total,
        per_address=settings.connections_per_address,
        idle=settings.connection_idle_seconds,
        head=settings.request_head_seconds,
        body=settings.request_body_seconds,
    )


def open_database(settings: Settings) -> Database:
    """Open the database and bring it up to date."""
    database = Database(settings.database_url)
    sealed_files.keep_in(database, settings.sealed_directory)
    migrate.upgrade(database)
    return database


def open_wiring(settings: Settings, directory: DataDirectory) -> tuple[Database, Wiring]:
    """Open the database, brought up to date, and what calls need; for the server and for commands beside it."""
    services.load_late()
    database = open_database(settings)
    key_check.require(database, directory.keyring)
    outbox = Observer(SealedOutbox(directory.keyring))
    return database, Wiring(settings, directory.keyring, Standings(directory.keyring), outbox)


def _open(settings: Settings, directory: DataDirectory, edge: Edge) -> Running:
    channel = channels.chosen(settings)
    database, wiring = open_wiring(settings, directory)
    trail_keys.prepare(database, wiring.keyring)
    writer = Writer(database, wiring.outbox.observe)
    door = Door(database, writer, wiring)
    token: Secret = directory.operator_token
    tasks = _begun(_watch_keys(KeyFileWatch(directory), database, wiring.keyring), supervision.keep_telling())
    delivery = Delivery(database, writer, wiring, observer.of(wiring.outbox), channel)
    delivery.start()
    sequencer = Sequencer(database, writer, wiring)
    sequencer.start()
    witnesses = Witnesses(database, writer, settings, sequencer, _checkpoint_mail(channel, settings))
    witnesses.start()
    pipeline = Pipeline(door, token)

    def make_pages() -> Pages:
        from crownkeep.console.app import create_pages  # a third of what a start would have to import

        return create_pages(door, pipeline.shares)

    return Running(
        database,
        writer,
        door,
        pipeline,
        LateApplication(make_pages),
        tasks,
        delivery,
        sequencer,
        witnesses,
        Witness(database, writer, wiring),
        (directory.metrics_token, token),
        _trail_delivery(database, writer, wiring),
        _reviews(database, writer),
        _keeping(database, writer, wiring),
        _audits(database, writer, wiring),
        _replication(settings),
        _traces(settings, edge),
    )


def _begun(*coroutines: Coroutine[Any, Any, None]) -> tuple[asyncio.Task[None], ...]:
    return tuple(asyncio.get_running_loop().create_task(each) for each in coroutines)


def _checkpoint_mail(channel: Channel, settings: Settings) -> Mailing | None:
    return CheckpointMail(channel, settings).send if settings.trail_checkpoint_mail else None


def _trail_delivery(database: Database, writer: Writer, wiring: Wiring) -> TrailDelivery:
    started = TrailDelivery(database, writer, wiring)
    started.start()
    return started


def _reviews(database: Database, writer: Writer) -> Reviews:
    started = Reviews(database, writer)
    started.start()
    return started


def _keeping(database: Database, writer: Writer, wiring: Wiring) -> TrailKeeping:
    started = TrailKeeping(database, writer, wiring)
    started.start()
    return started


def _audits(database: Database, writer: Writer, wiring: Wiring) -> ScheduledAudits:
    started = ScheduledAudits(database, writer, wiring)
    started.start()
    return started


def _replication(settings: Settings) -> Replication:
    started = Replication(settings)
    started.start()
    return started


def _traces(settings: Settings, edge: Edge) -> Traces | None:
    if not settings.traces_endpoint:
        return None
    from crownkeep.gateway import traces  # with OpenTelemetry's libraries, which are an extra

    return traces.start(settings, edge)


async def _watch_keys(watch: KeyFileWatch, database: Database, keyring: Keyring) -> None:
    """Go over to rotated sealing keys, and say once what is wrong with a key file that can't be read."""
    fault = ""
    while True:
        try:
            if watch.look():
                _log.info("the sealing keys in the key file changed; sealing with its first from now on")
                await asyncio.to_thread(key_check.require, database, keyring)
            fault = ""
        except (UnusableDataDirectory, WrongSealingKey, DatabaseFault) as error:
            if str(error) != fault:
                fault = str(error)
                _log.warning("%s; going on with the keys that were read before", fault)
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
