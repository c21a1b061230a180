"""Make the next step of the schema's history from the difference between the tables in the code and the steps so far.

    .venv/bin/python scripts/make_migration.py "Keep one-time links"

Read what it wrote before you commit it. Where servers of the version before can live with the step, write `oldest_code` into
it, as `crownkeep.storage.steps` says. `--first` makes step 0001 anew, for as long as no version has been released.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from crownkeep.storage import migrate
from crownkeep.storage.database import Database

VERSIONS = Path(__file__).parent.parent / "src/crownkeep/storage/migrations/versions"


def main(arguments: list[str]) -> int:
    """Write the step's file and say where."""
    from alembic import command
    from alembic.script.revision import RevisionError

    first = "--first" in arguments
    words = [word for word in arguments if not word.startswith("--")]
    message = words[0] if words else ("The tables of the first version" if first else "")
    if not message:
        print("give the step a message, such as `Keep one-time links`", file=sys.stderr)
        return 2
    steps = sorted(VERSIONS.glob("[0-9]*.py"))
    if first:
        for step in steps:
            step.unlink()
        steps = []
    number = f"{len(steps) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        if steps:
            migrate.upgrade(database)
        # Comparing commits on the connection it is given, so this one is not the house's own kind of transaction.
        with database.engine.connect() as connection:
            configuration = migrate.configuration(connection)
            configuration.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            try:
                command.revision(configuration, message, autogenerate=True, rev_id=number)
            except RevisionError as error:
                print(f"alembic refused: {error}", file=sys.stderr)
                return 1
    made = next(VERSIONS.glob(f"{number}_*.py"))
    text = made.read_text().replace("crownkeep.storage.metadata.Moment()", "sa.BigInteger()")
    made.write_text(text)
    for tool in (["ruff", "check", "--fix", "-q"], ["ruff", "format", "-q"]):
        subprocess.run([str(Path(sys.executable).parent / tool[0]), *tool[1:], str(made)], check=False)
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
