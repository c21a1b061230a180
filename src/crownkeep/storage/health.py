"""What a database says of itself: whether it keeps what it has confirmed, and which schema step it is at. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import inspect, text

from crownkeep.storage.database import Transaction, run_plainly
from crownkeep.storage.steps import NODE

_WRITE_AHEAD = 2
_VERSIONS_AT = 18
_HEADER = b"SQLite format 3\0"
_POSTGRESQL = (
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "synchronous_standby_names",
    "server_version",
    "transaction_read_only",
)
_SYNCHRONOUS = ("off", "normal", "full", "extra")


def journal_mode(file: Path) -> str:
    """Return `wal`, `rollback`, `empty` or `none`, by the header of a SQLite file (https://sqlite.org/fileformat2.html, 1.3).

    To ask SQLite would be to open it, which sets the mode that we want. Raises OSError.
    """
    with file.open("rb") as opened:
        head = opened.read(_VERSIONS_AT + 2)
    if not head:
        return "empty"
    if not head.startswith(_HEADER) or len(head) < _VERSIONS_AT + 2:
        return "none"
    return "wal" if set(head[_VERSIONS_AT:]) == {_WRITE_AHEAD} else "rollback"


def settings(db: Transaction) -> Mapping[str, str]:
    """Return the settings that decide whether a commit survives a crash, as they are for our connections."""
    if db.dialect.name == "sqlite":
        synchronous = db.exec_driver_sql("PRAGMA synchronous").scalar_one()
        mode = db.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        return {"journal_mode": str(mode), "synchronous": _SYNCHRONOUS[int(synchronous)]}
    return {name: str(db.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in _POSTGRESQL}


def damage(db: Transaction) -> str:
    """Return what SQLite finds wrong in its file first, empty where that is nothing; PostgreSQL has tools of its own for that."""
    if db.dialect.name != "sqlite":
        return ""
    found = str(db.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    return "" if found == "ok" else found


def step(db: Transaction) -> str | None:
    """Return the schema step that a database is at, such as `0015`, None where it has no tables of ours."""
    if not inspect(db).has_table("alembic_version"):
        return None
    found = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def nodes(db: Transaction) -> list[str]:
    """Return the newest schema step that each version knows whose servers or commands are connected; none on SQLite.

    A pooler hides them: it names the one of its clients that used a connection last.
    """
    if db.dialect.name == "sqlite":
        return []
    run_plainly(db, "SELECT pg_stat_clear_snapshot()")
    statement = """SELECT DISTINCT substr(application_name, length(?) + 1) FROM pg_stat_activity
        WHERE datname = current_database() AND starts_with(application_name, ?)"""
    return sorted(str(name) for (name,) in run_plainly(db, statement, (NODE, NODE)))
