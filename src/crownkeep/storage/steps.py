"""The schema's steps, and which of them servers of an older version can live with.

A step that only adds (a table, a column that may be absent or has a default, an index) is taken while servers of the version
before go on. Such a step says so in its module:

    oldest_code = "0038"

That is the newest step of the oldest version whose servers go on beside it. A step without that line suits no older version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "migrations"
"""Where alembic finds the steps."""
NODE = "crownkeep/"
"""What our connections are called at PostgreSQL, before the newest step that their process knows."""

_OLDEST_CODE = re.compile(r'^oldest_code = "(?P<step>\d{4})"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One step of the schema's history."""

    number: str
    """Such as `0014`. All have four digits, so text compares as numbers do."""
    says: str
    oldest_code: str
    """The oldest step whose code goes on beside this one."""


@cache
def newest() -> str:
    """Return the number of the last step, such as `0001`."""
    return max(file.name[:4] for file in _files())


def after(number: str) -> list[SchemaStep]:
    """Return the steps that follow one, the next first."""
    return [_read(file) for file in _files() if file.name[:4] > number]


def oldest_code(number: str) -> str:
    """Return the oldest step whose code understands a database that is at this one: what all steps until there agree on."""
    return max(_read(file).oldest_code for file in _files() if file.name[:4] <= number)


def _files() -> list[Path]:
    return sorted((FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


@cache
def _read(file: Path) -> SchemaStep:
    number, says = file.stem[:4], file.stem[5:].replace("_", " ")
    # Read and not imported: steps are alembic's to import, which is slow.
    said = _OLDEST_CODE.search(file.read_text(encoding="utf-8"))
    return SchemaStep(number, says, said["step"] if said else number)
