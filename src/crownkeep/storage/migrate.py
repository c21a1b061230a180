"""Bringing a database up to the schema that this version needs: before anything is served, step by step, in one transaction.

A database that is up to date costs one query; alembic is loaded only where there is a step to take.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from crownkeep.storage.database import Database, DatabaseFault, Transaction, run_plainly

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"


class NewerDatabase(Exception):
    """The database was made by a newer version; this one would not know what its tables hold."""


def upgrade(database: Database) -> None:
    """Take the steps that the database lacks.

    Raises NewerDatabase for one that has steps this version doesn't know. Several processes may try at once: whoever comes second
    finds the work done.
    """
    if is_current(database):
        return
    try:
        _take(database, "head")
    except DatabaseFault:
        # Another process was quicker: its steps made ours fail, and did the work.
        if not is_current(database):
            raise


def upgrade_to(database: Database, step: str) -> None:
    """Take the steps of an empty database up to one, such as `0014`: to put rows into it that were copied from that step.

    Raises NewerDatabase for a step that this version doesn't know.
    """
    # Steps are numbered with four digits, so text compares as numbers do.
    if step > newest():
        raise NewerDatabase(f"this is of step `{step}`, this version knows `{newest()}`; install the newer version")
    _take(database, step)


def _take(database: Database, step: str) -> None:
    with database.engine.begin() as transaction:
        if database.is_sqlite:
            # Begun on both: alembic commits after each step unless SQLAlchemy, too, knows of a transaction.
            run_plainly(transaction, "BEGIN IMMEDIATE")
        _run(transaction, step)


@cache
def newest() -> str:
    """Return the number of the last step, such as `0001`."""
    return max(step.name[:4] for step in (_FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def is_current(database: Database) -> bool:
    """Tell whether a database has taken every step that this version knows; raises NewerDatabase where it has taken others."""
    return _step_of(database) == newest()


def lacking(database: Database) -> list[tuple[str, str]]:
    """Return the steps that a database has not taken, each with what it does; raises NewerDatabase as `is_current` does."""
    taken = _step_of(database) or ""
    steps = sorted((_FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
    return [(each.name[:4], each.stem[5:].replace("_", " ")) for each in steps if each.name[:4] > taken]


def _step_of(database: Database) -> str | None:
    with database.snapshot() as db:
        if not inspect(db).has_table("alembic_version"):
            return None
        found = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > newest():
        raise NewerDatabase(f"the database is at step `{found}`, this version knows `{newest()}`; install the newer version")
    return None if found is None else str(found)


def _run(transaction: Transaction, step: str) -> None:
    from alembic import command  # slow to import, and rarely needed

    command.upgrade(configuration(transaction), step)


def configuration(transaction: Transaction) -> Config:
    """Return alembic's configuration for a connection; also for making a new step."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = transaction
    return config
