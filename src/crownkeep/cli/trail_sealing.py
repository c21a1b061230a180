"""`crownkeep trail seal-month` and `sealed`: months of the trail that lie in files."""

from __future__ import annotations

from typing import Any

import click

from crownkeep.cli import house, output


@click.command("seal-month", short_help="Seal a month's records into a file.")
@click.argument("month", metavar="YYYY-MM")
@house.options
@output.json_flag()
def seal_month(month: str, data: str | None, database: str | None, as_json: bool) -> None:
    """Write a month's records, of all accounts, into a file in `trail_sealed_directory`, and drop them from the database.

    Every record is read back and held against its leaf before any is dropped. LookupEvents, `search`, `export`, `prove`
    and `verify` find them there. Run it again where it was interrupted.
    """
    from crownkeep.trail import month_sealing
    from crownkeep.trail.month_sealing import NotSealable

    with house.opened(data, database) as held:
        held.settle_trail()
        try:
            row = month_sealing.seal(
                held.database, month, record=lambda sha256: held.ask("SealMonth", month=month, sha256=sha256)
            )
            month_sealing.destroy_withheld(held.database)
        except NotSealable as error:
            raise click.ClickException(output.printable(str(error))) from error
        file = held.settings.sealed_directory / f"{month}.jsonl.gz"
    if as_json:
        answer = {"month": row.month, "records": row.records, "first_index": row.first_index, "last_index": row.last_index}
        output.print_json(answer | {"file": str(file)})
    else:
        click.echo(f"{output.counted(row.records, 'record')} of {row.month} sealed in {output.printable(str(file))}.")


@click.command("sealed", short_help="List the sealed months.")
@house.options
@output.json_flag()
def sealed(data: str | None, database: str | None, as_json: bool) -> None:
    """List the months whose records are in files, with their places in the tree."""
    with house.opened(data, database) as held:
        months = held.ask("ListSealedMonths")["months"]
        directory = held.settings.sealed_directory
    found = [each | {"file": str(directory / f"{each['month']}.jsonl.gz")} for each in months]
    if as_json:
        output.print_json({"months": found})
    else:
        output.print_table(("MONTH", "RECORDS", "INDEXES", "SEALED", "FILE"), [_row(each) for each in found])


def _row(month: dict[str, Any]) -> tuple[str, ...]:
    indexes = f"{month['first_index']} to {month['last_index']}"
    return month["month"], str(month["records"]), indexes, f"{month['sealed_at']:%Y-%m-%d}", month["file"]
