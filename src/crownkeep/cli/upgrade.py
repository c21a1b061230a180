"""`crownkeep upgrade`: which steps of the schema a database lacks, and taking them."""

from __future__ import annotations

from typing import Any

import click

from crownkeep.cli import house, output

_WHAT_TO_DO = {
    True: "Make a backup, and start the new version on one node after another: the others may go on while it takes these steps.",
    False: "Make a backup, stop the servers, and start one of the new version: it takes these steps. There is no way back.",
}
"""By whether servers of the version before may go on while the steps are taken."""
_WHO_GOES_ON = {
    True: "Servers of the version before go on, and start on it.",
    False: "Versions that don't know it no longer start on it.",
}


@click.command("upgrade", short_help="Say which steps an upgrade takes, or take them.")
@click.option("--check", is_flag=True, help="Only say what would be done; nothing is changed.")
@house.options
@output.json_flag()
def command(check: bool, data: str | None, database: str | None, as_json: bool) -> None:
    """Bring the database up to the schema of this version, in one transaction, as the first start of a server does.

    With `--check` nothing is changed, and it says whether servers of the version before may go on meanwhile. It exits with 1
    where the database is of a newer version, which this one can't serve.
    """
    from importlib.metadata import version

    from crownkeep import settings as configuration
    from crownkeep.storage import migrate
    from crownkeep.storage.database import Database

    chosen = configuration.load({"data": data, "database": database})
    file = chosen.data_directory / "crownkeep.db"
    if chosen.database_url == f"sqlite:///{file}" and not file.exists():
        raise click.ClickException(f"there is no database `{file}` yet: the first start of a server makes one")
    held = Database(chosen.database_url)
    try:
        lacking = migrate.lacking(held)
        if not check and lacking:
            migrate.upgrade(held)
        answer = {
            "version": version("crownkeep"),
            "newest_step": migrate.newest(),
            "steps": [{"step": each.number, "says": each.says} for each in lacking],
            "online": migrate.is_online(lacking),
            "taken": bool(lacking) and not check,
        }
    finally:
        held.close()
    if as_json:
        output.print_json(answer)
    else:
        _print(answer)


def _print(answer: dict[str, Any]) -> None:
    if not answer["steps"]:
        click.echo(f"The database is at step {answer['newest_step']}, which version {answer['version']} needs.")
        return
    output.print_table(("STEP", "WHAT IT DOES"), [(each["step"], each["says"]) for each in answer["steps"]])
    if answer["taken"]:
        click.echo(f"\nThe database is at step {answer['newest_step']} now. {_WHO_GOES_ON[answer['online']]}")
    else:
        click.echo(f"\n{_WHAT_TO_DO[answer['online']]}")
