"""Bringing a database up to the schema that this version needs: before anything is served, step by step, in one transaction.

A database that is up to date costs two queries; alembic is loaded only where there is a step to take.

On PostgreSQL servers of the version before may go on meanwhile, where the steps say so (`storage.steps`). The database keeps
which code understands it: a server may start on a newer schema that suits it. Steps that don't suit a server that runs are not
taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from crownkeep import clock
from crownkeep.storage import health, steps
from crownkeep.storage.database import Database, DatabaseFault, Transaction, run_plainly
from crownkeep.storage.steps import SchemaStep

if TYPE_CHECKING:
    from alembic.config import Config

_ATTEMPTS = 20
_PAUSE_SECONDS = 1
_LOCK_TIMEOUT = "3s"
"""How long a step waits for a table that somebody uses: whoever comes later waits behind it."""
_LOCK_NOT_AVAILABLE = "55P03"
_COLUMN = "understood_by"
"""Beside alembic's own: from which step's code to which the database is understood, such as `0038-0041`."""


class NewerDatabase(Exception):
    """The database was made by a newer version; this one would not know what its tables hold."""


class OlderNodes(Exception):
    """Servers of an older version run on the database, and would not understand it after the steps that are lacking."""


def upgrade(database: Database) -> None:
    """Take the steps that the database lacks, if any; a newer one that suits this version is left as it is.

    Raises NewerDatabase for one that has steps this version doesn't understand, and OlderNodes where servers run that would not
    understand the steps. Several processes may try at once: whoever comes second finds the work done.
    """
    if serves(database):
        return
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _take(database, "head")
        except DatabaseFault as error:
            # Another process was quicker: its steps made ours fail, and did the work.
            if serves(database):
                return
            if attempt == _ATTEMPTS or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            # Somebody has used a table for long. Requests behind us get their turn before we ask again.
            clock.sleep(_PAUSE_SECONDS)
        else:
            return


def upgrade_to(database: Database, step: str) -> None:
    """Take the steps of an empty database up to one, such as `0014`: to put rows into it that were copied from that step.

    Raises NewerDatabase for a step that this version doesn't know.
    """
    if step > newest():
        raise NewerDatabase(f"this is of step `{step}`, this version knows `{newest()}`; install the newer version")
    _take(database, step)


def newest() -> str:
    """Return the number of the last step that this version knows, such as `0001`."""
    return steps.newest()


def is_current(database: Database) -> bool:
    """Tell whether a database has taken every step that this version knows; raises NewerDatabase where it has taken others.

    For whoever copies all there is, who would leave out what only the newer version knows.
    """
    step, _ = _state(database)
    if step is not None and step > newest():
        raise NewerDatabase(f"the database is at step `{step}`, this version knows `{newest()}`; install the newer version")
    return step == newest()


def serves(database: Database) -> bool:
    """Tell whether this version may serve on a database as it is; raises NewerDatabase where only a newer version may."""
    step, oldest = _state(database)
    if step is None or step <= newest():
        return step == newest()
    if oldest > newest():
        raise NewerDatabase(f"the database is at step `{step}`, this version knows `{newest()}`; install the newer version")
    return True


def lacking(database: Database) -> list[SchemaStep]:
    """Return the steps that a database has not taken; raises NewerDatabase as `serves` does."""
    return [] if serves(database) else steps.after(_state(database)[0] or "")


def is_online(lacking: list[SchemaStep]) -> bool:
    """Tell whether servers of the version before go on while these steps, which are all that is lacking, are taken."""
    return all(each.oldest_code < lacking[0].number for each in lacking)


def _take(database: Database, step: str) -> None:
    target = newest() if step == "head" else step
    oldest = steps.oldest_code(target)
    with database.engine.begin() as transaction:
        if database.is_sqlite:
            # Begun on both: alembic commits after each step unless SQLAlchemy, too, knows of a transaction.
            run_plainly(transaction, "BEGIN IMMEDIATE")
        else:
            run_plainly(transaction, f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        _refuse_older_nodes(transaction, oldest)
        _run(transaction, step)
        # One may have started meanwhile.
        _refuse_older_nodes(transaction, oldest)
        if _has_column(transaction):
            run_plainly(transaction, "UPDATE alembic_version SET understood_by = ?", (f"{oldest}-{target}",))


def _refuse_older_nodes(transaction: Transaction, oldest: str) -> None:
    older = [each for each in health.nodes(transaction) if each < oldest]
    if older:
        at = ", ".join(f"`{each}`" for each in older)
        raise OlderNodes(
            f"servers of an older version (step {at}) run on this database, and would not understand the steps that this version "
            "takes: stop them first, then start this one"
        )


def _state(database: Database) -> tuple[str | None, str]:
    """Return the step that a database is at, and the oldest step whose code understands it."""
    with database.snapshot() as db:
        if not inspect(db).has_table("alembic_version"):
            return None, ""
        columns = f"version_num, {_COLUMN}" if _has_column(db) else "version_num, NULL"
        found = db.execute(text(f"SELECT {columns} FROM alembic_version")).first()  # noqa: S608 - our own names
    if found is None:
        return None, ""
    step, (oldest, _, until) = str(found[0]), str(found[1]).partition("-")
    # What was said of another step doesn't hold: somebody may have taken steps by alembic itself.
    return step, oldest if until == step else step


def _has_column(db: Transaction) -> bool:
    return any(each["name"] == _COLUMN for each in inspect(db).get_columns("alembic_version"))


def _run(transaction: Transaction, step: str) -> None:
    from alembic import command  # slow to import, and rarely needed

    command.upgrade(configuration(transaction), step)


def configuration(transaction: Transaction) -> Config:
    """Return alembic's configuration for a connection; also for making a new step."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(steps.FOLDER))
    config.attributes["connection"] = transaction
    return config
