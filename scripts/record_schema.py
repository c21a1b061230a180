"""Record the tables that this version's code is written for, so that later steps are held to them; once for each release.

    .venv/bin/python -m scripts.record_schema

It writes tests/fixtures/schemas/STEP.json. `tests/storage/test_neighbours.py` reads it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from shared import schemas

from crownkeep.storage import migrate
from crownkeep.storage.database import Database

FOLDER = Path(__file__).parents[1] / "tests" / "fixtures" / "schemas"


def main() -> None:
    """Write the file and say where."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        migrate.upgrade(database)
        found = schemas.describe(database.engine)
        database.close()
    file = FOLDER / f"{migrate.newest()}.json"
    file.parent.mkdir(exist_ok=True)
    # A table on a line: a difference shows where it is.
    lines = (f'"{name}": {json.dumps(table, separators=(",", ":"))}' for name, table in found.items())
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(file)


if __name__ == "__main__":
    main()
