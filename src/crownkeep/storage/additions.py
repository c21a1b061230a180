"""INSERTs of whole rows, written as each database takes them at the least cost."""

from __future__ import annotations

import re
from functools import cache

_PLAIN_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \((?:\?, )*\?\)")


@cache
def as_copy(statement: str) -> str | None:
    """Return PostgreSQL's COPY that does what an INSERT of whole rows does, None where the statement does anything else."""
    plain = _PLAIN_INSERT.fullmatch(statement)
    return None if plain is None else f"COPY {plain[1]} ({plain[2]}) FROM STDIN"


@cache
def as_addition(statement: str) -> str:
    """Return what does the same on SQLite as an INSERT of one whole row, without a way back from its middle.

    One row is added or isn't. To be able to undo more, SQLite copies each page before it is changed where a table has triggers.
    """
    plain = _PLAIN_INSERT.fullmatch(statement)
    return statement if plain is None else f"INSERT OR FAIL{statement.removeprefix('INSERT')}"
