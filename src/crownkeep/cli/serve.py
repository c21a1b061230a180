"""`crownkeep serve`: the server itself, on one port, with as many processes as there are to be."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from crownkeep import data_directory, server_address, services, settings
from crownkeep.app import create_app, open_database, open_wiring
from crownkeep.cli import banner, extras, failures, house, listening, reloading
from crownkeep.cli.banner import StartFacts
from crownkeep.credentials.sealing import Keyring
from crownkeep.domain import trail_keys
from crownkeep.logs import configure
from crownkeep.settings import Settings
from crownkeep.storage import migrate
from crownkeep.storage.database import Database
from crownkeep.storage.trail import log_keys

if TYPE_CHECKING:
    import uvicorn

_FACTORY = "crownkeep.cli.serve:_worker"
_SECONDS_TO_FINISH = 20
_NOT_STARTED = 3
_OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""A request makes about a hundred, and leaves no circles."""


@click.command("serve", short_help="Serve the AWS APIs and the pages.")
@click.option("--data", metavar="DIR", help="The data directory.")
@click.option("--database", metavar="URL", help="The database; SQLite in the data directory unless given.")
@click.option("--host", help="The address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="The port to listen on (4747).")
@click.option("--workers", type=int, help="How many processes serve (1).")
@click.option("--public-url", metavar="URL", help="Where people and clients reach this server.")
@house.config_option
def command(**flags: Any) -> None:
    """Serve the AWS APIs, the sign-in and the console on one port until interrupted.

    Other commands find the server through its data directory. From a clone, `make serve ARGS="--port 5000"` passes options
    on. Behind a proxy, give the address that people and clients use with `--public-url`.
    """
    chosen = settings.load(flags)
    configure(chosen)
    reloading.require_usable_tls(chosen)
    _require_traces(chosen)
    inherited = listening.inherited()
    # Before the data directory is touched: a second server that is started by mistake changes nothing.
    if inherited is None:
        _require_free_port(chosen)
    directory = data_directory.prepare(chosen)
    # Once before any process serves: what is wrong with the database is said in one sentence, and no two bring it up to date.
    _bring_up_to_date(chosen)
    database, wiring = open_wiring(chosen, directory)
    facts = _facts(database, wiring.keyring)
    database.close()
    with server_address.announced(directory.path, chosen.url):
        click.echo(banner.text(chosen, facts), file=sys.stderr)
        logging.getLogger("crownkeep").info("serving", extra={"url": chosen.url, "workers": chosen.workers})
        _run(chosen, flags, inherited)


def _bring_up_to_date(chosen: Settings) -> None:
    """Take the steps that the database lacks in a process of its own: what takes them would stay in this one's memory.

    Nothing is said of what goes wrong there: this process then tries itself, meets the same, and says it.
    """
    # Elsewhere a process that was forked may not use what its parent has loaded.
    if sys.platform != "linux":
        return
    database = Database(chosen.database_url)
    try:
        is_lacking = not migrate.serves(database)
    finally:
        # Before the fork, which would copy an open connection.
        database.close()
    if is_lacking:
        apart = multiprocessing.get_context("fork").Process(target=_upgrade, args=(chosen,))
        apart.start()
        apart.join()


def _upgrade(chosen: Settings) -> None:
    try:
        open_database(chosen).close()
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - whoever waits for this meets the same
        sys.exit(1)


def _facts(database: Database, keyring: Keyring) -> StartFacts:
    trail_keys.prepare(database, keyring)
    with database.snapshot() as db:
        signer = trail_keys.public(log_keys.every(db, log_keys.LOG))[-1]
    return StartFacts("SQLite" if database.is_sqlite else "PostgreSQL", signer.name, keyring.newest.id)


def _require_traces(chosen: Settings) -> None:
    """Raise WrongCall where traces are wanted and what exports them isn't installed."""
    if chosen.traces_endpoint and not extras.can_export_traces():
        raise failures.WrongCall(f"setting `traces_endpoint` takes packages of its own: `{extras.INSTALL_TRACES}`")


def _require_free_port(chosen: Settings) -> None:
    """Raise ClickException where nothing can listen; uvicorn would say so late, and by a number."""
    try:
        found = socket.getaddrinfo(chosen.host, chosen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            if family == socket.AF_INET6 and len(found) > 1:
                # A name such as `localhost` stands for both families, and many a container has only one of them.
                continue
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"can't listen on port {chosen.port} of `{chosen.host}`: {error.strerror}; choose others with `--port` and `--host`"
        ) from error


def _run(chosen: Settings, flags: Mapping[str, Any], inherited: socket.socket | None) -> None:
    import uvicorn._subprocess

    options = _options(chosen)
    if chosen.workers > 1:
        # Here, so that workers share it.
        services.load()
    # What is there now stays: nobody looks through it for garbage again, and workers go on sharing its pages.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    if chosen.workers == 1:
        config = uvicorn.Config(create_app(chosen), **options)
        reloading.on_hangup(config, chosen, flags)
        _serve_on(inherited, uvicorn.Server(config))
        return
    if sys.platform == "linux":
        # Forked from this process, in which all is imported, they share its memory and start at once; nothing of it is a thread
        # or an open connection. uvicorn starts each in an empty interpreter.
        uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]  # another context
    environment = dict(os.environ)
    os.environ.update(settings.as_variables(chosen))
    config = uvicorn.Config(_FACTORY, factory=True, workers=chosen.workers, **options)
    reloading.serve_by_workers(config, inherited or config.bind_socket(), chosen, flags, environment)


def _options(chosen: Settings) -> dict[str, Any]:
    from crownkeep.gateway.protocol import EdgeProtocol

    return {
        "host": chosen.host,
        "port": chosen.port,
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "lifespan": "on",
        "loop": "crownkeep.gateway.loop:EdgeLoop",
        "http": EdgeProtocol,
        "ws": "none",
        "timeout_graceful_shutdown": _SECONDS_TO_FINISH,
        "ssl_certfile": chosen.tls_certificate or None,
        "ssl_keyfile": chosen.tls_key or None,
    }


def _serve_on(inherited: socket.socket | None, server: uvicorn.Server) -> None:
    """Serve, on a service manager's socket where there is one; ends the process as uvicorn does where that fails."""
    with suppress(KeyboardInterrupt):
        server.run(None if inherited is None else [inherited])
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def _worker() -> Any:
    chosen = settings.load()
    configure(chosen)
    return create_app(chosen)
