"""`crownkeep doctor`: is this installation well? Nothing is mended, and a damaged one is described, not stumbled over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crownkeep.cli import doctor_house, doctor_machine, house, output
from crownkeep.cli.doctor_diagnosis import Diagnosis, Health, Installation, amiss
from crownkeep.data_directory import UnusableDataDirectory
from crownkeep.settings import InvalidSettings
from crownkeep.storage import health
from crownkeep.storage.database import Database, DatabaseFault
from crownkeep.storage.engines import UnusableDatabaseUrl

if TYPE_CHECKING:
    from crownkeep.credentials.sealing import Keyring

Check = Callable[[Installation], Diagnosis]
FILES: Mapping[str, Check] = {
    "permissions": doctor_machine.permissions,
    "clock": doctor_machine.time,
    "disk": doctor_machine.disk,
    "wire": doctor_machine.wire,
    "tls": doctor_machine.certificate,
    "traces": doctor_machine.traces,
    "journal": doctor_house.journal,
}
"""Checks that are made before anything is opened: the driver gives SQLite's files their modes, and the journal its own."""
HOUSE: Mapping[str, Check] = {
    "database": doctor_house.database,
    "database-settings": doctor_house.durability,
    "schema": doctor_house.schema,
    "nodes": doctor_house.nodes,
    "sealing-key": doctor_house.sealing_key,
    "backup": doctor_house.backup,
    "replica": doctor_house.replica,
    "drill": doctor_house.drill,
    "operator-tokens": doctor_house.tokens,
    "mail": doctor_house.mail,
    "witness": doctor_house.witness,
    "checkpoint-file": doctor_house.checkpoint_file,
}
"""Checks of what was opened, where it could be."""


@click.command("doctor", short_help="Say whether this installation is well.")
@house.options
@output.json_flag()
def command(data: str | None, database: str | None, as_json: bool) -> None:
    """Look an installation over, served or not: files, clock, disk, database, keys, backups, drills, mail, witnesses, traces.

    Exits 0 where all is well, and 1 where something is to be mended. A warning says what could be safer, and is no failure.
    """
    found = _examined(data, database)
    is_well = all(each.health is not Health.AMISS for each in found.values())
    if as_json:
        listed = [
            {"check": name, "status": each.health.value, "message": each.text, "remedy": each.remedy or None}
            for name, each in found.items()
        ]
        output.print_json({"ok": is_well, "checks": listed})
    else:
        for name, each in found.items():
            click.echo(f"{each.health.value:<8} {name}: {output.printable(each.text)}")
            if each.remedy:
                click.echo(f"         -> {output.printable(each.remedy)}")
        click.echo("All is well." if is_well else "Something is to be mended.")
    if not is_well:
        raise SystemExit(1)


def _examined(data: str | None, database: str | None) -> dict[str, Diagnosis]:
    from crownkeep import clock, settings

    try:
        chosen = settings.load({"data": data, "database": database})
    except InvalidSettings as error:
        return {"settings": amiss(str(error), "correct it: nothing else can be looked at before")}
    # In two parts: what opening the database would set right by itself has to be looked at before.
    closed = Installation(chosen, clock.now())
    early = {name: _made(check, closed) for name, check in FILES.items()}
    with _opened(closed) as found:
        return early | {name: _made(check, found) for name, check in HOUSE.items()}


def _made(check: Check, found: Installation) -> Diagnosis:
    try:
        return check(found)
    except DatabaseFault as error:
        reason = str(error.orig).strip().partition("\n")[0]
        return amiss(
            f"the database can't be read: {reason}", "see whether its server runs; a damaged file is restored from a backup"
        )
    except OSError as error:
        return amiss(
            f"`{error.filename or found.path}` can't be read: {error.strerror}", "run this as the user that the server runs as"
        )


@contextmanager
def _opened(found: Installation) -> Iterator[Installation]:
    """Open what can be opened, and keep why something can't."""
    faults: dict[str, str] = {}
    keyring, opened = _keyring(found, faults), _database(found, faults)
    try:
        yield Installation(found.settings, found.now, keyring, opened, faults)
    finally:
        if opened is not None:
            opened.close()


def _keyring(found: Installation, faults: dict[str, str]) -> Keyring | None:
    from crownkeep import data_directory

    try:
        return data_directory.load_keyring(found.path)
    except UnusableDataDirectory as error:
        faults["keyring"] = str(error)
    except OSError as error:
        faults["keyring"] = f"`{found.path / data_directory.SEALING_KEY}` can't be read: {error.strerror}"
    return None


def _database(found: Installation, faults: dict[str, str]) -> Database | None:
    if found.file is not None and not found.file.is_file():
        faults["database"] = f"there is no database at `{found.file}`"
        return None
    if found.file is not None and health.journal_mode(found.file) in ("none", "rollback"):
        faults["database"] = f"`{found.file}` was not opened, since that would change it"
        return None
    try:
        opened = Database(found.settings.database_url)
    except UnusableDatabaseUrl as error:
        faults["database"] = str(error)
        return None
    # A database is only opened at its first use, so whether it answers is known now and not before.
    try:
        with opened.snapshot():
            return opened
    except DatabaseFault as error:
        opened.close()
        faults["database"] = f"the database can't be opened: {str(error.orig).strip().partition(chr(10))[0]}"
    return None
