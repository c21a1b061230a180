"""`crownkeep move`: everything from one database into another, offline, with proof that it arrived."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from crownkeep.cli import house, output, trail_sources


@click.command("move", short_help="Move everything into another database.")
@click.option(
    "--from", "source", metavar="URL", required=True, help="The database to move, such as `sqlite:////DIR/crownkeep.db`."
)
@click.option("--to", "target", metavar="URL", required=True, help="An empty database, such as `postgresql://HOST/NAME`.")
@click.option("--data", metavar="DIR", help="The data directory.")
@house.config_option
@output.json_flag()
def command(source: str, target: str, data: str | None, as_json: bool) -> None:
    """Move everything into another database, while no server runs. The source is only read, and stays.

    Every row is counted and hashed on both sides, and the trail is verified where it arrived. Afterwards set `database` to the
    new URL, and put the old database away: a server that went on with it would write another history.
    """
    from crownkeep import data_directory, server_address, settings
    from crownkeep.backups import moving
    from crownkeep.domain.accounts import key_check
    from crownkeep.storage.database import Database

    directory = settings.load({"data": data, "database": source}).data_directory
    address = server_address.read(directory) if directory.is_dir() else None
    if address is not None and address.is_running:
        raise click.ClickException(f"a server runs on `{directory}`: stop it first, on every machine that uses this database")
    with trail_sources.offline(data, source) as old:
        with old.snapshot() as db:
            # Before hours are spent: what is moved must open in the house that it is moved for.
            key_check.examine(db, data_directory.load_keyring(directory))
        new = Database(target)
        try:
            with _progress(is_quiet=as_json) as progress:
                moved = moving.move(old, new, progress=progress)
            kinds = ["sqlite" if each.is_sqlite else "postgresql" for each in (old, new)]
        finally:
            new.close()
    with house.opened(data, target) as held:
        held.ask("MoveDatabase", source=kinds[0], target=kinds[1], rows=moved.total, records=moved.records)
    if as_json:
        output.print_json({"ok": True, "rows": moved.total, "records": moved.records, "tables": moved.rows})
        return
    click.echo(f"{output.counted(moved.total, 'row')} moved, {output.counted(moved.records, 'record')} of the trail verified.")
    click.echo("Set `database` to the new URL now, and put the old database away.")


@contextmanager
def _progress(*, is_quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """Show which table is being copied and how many rows there were, on a terminal alone."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda _name, _count: None
        return
    total = 0

    def show(name: str, count: int) -> None:
        nonlocal total
        total += count
        click.echo(f"\r{total} rows, {name:<40}", nl=False, err=True)

    yield show
    click.echo(err=True)
