"""`crownkeep trail withhold`, `rotate-keys` and `witness`: what the operator does to the trail, each with a record of its own."""

from __future__ import annotations

from datetime import datetime

import click

from crownkeep.cli import house, output, waiting
from crownkeep.cli.account import account_id
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.trail_export import moment


@click.command("withhold", short_help="Destroy records whose leaves stay.")
@click.option("--account", metavar="ID", required=True, callback=account_id, help="Whose records.")
@click.option("--event-id", metavar="ID", help="The one record.")
@click.option("--before", metavar="TIME", callback=moment, help="All that are older.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is recorded.")
@click.option("--yes", is_flag=True, help="Really destroy them; nothing brings them back.")
@waiting.with_own_reason
@house.options
@output.json_flag()
def withhold(
    account: str,
    event_id: str | None,
    before: datetime | None,
    reason: str,
    yes: bool,
    asked: waiting.Asking,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Destroy records for good, by law or for retention. Their leaves stay in the tree, and `verify` counts them as withheld."""
    if (event_id is None) == (before is None):
        raise WrongCall("give `--event-id` or `--before`")
    if not yes:
        raise WrongCall("this destroys records for good: say `--yes`")
    from crownkeep.storage.trail.sealed_files import SealedFileFault
    from crownkeep.trail import month_sealing
    from crownkeep.trail.month_sealing import NotSealable

    with house.opened(data, database) as held:
        done = waiting.ask(held, asked, "WithholdRecords", account_id=account, event_id=event_id, before=before, reason=reason)
        # After the act, which is what counts: from it on nobody is shown them, and a server takes the bytes out later.
        try:
            month_sealing.destroy_withheld(held.database)
        except (NotSealable, SealedFileFault) as error:
            click.echo(f"note: nobody sees them any more, but sealed files still hold bytes of them: {error}", err=True)
    if as_json:
        output.print_json({"account_id": account, "records": done["records"]})
    else:
        click.echo(f"{output.counted(done['records'], 'record')} withheld.")


@click.command("rotate-keys", short_help="Sign checkpoints with new keys.")
@waiting.options
@house.options
@output.json_flag()
def rotate_keys(asked: waiting.Asking, data: str | None, database: str | None, as_json: bool) -> None:
    """Sign checkpoints with new keys. The old ones sign beside them for a day, and verify what they signed for ever.

    Give `crownkeep trail keys` to whoever verifies.
    """
    with house.opened(data, database) as held:
        made = waiting.ask(held, asked, "RotateTrailKeys")
    if as_json:
        output.print_json({"vkeys": made["vkeys"]})
    else:
        click.echo("The new keys sign from now on:")
        for vkey in made["vkeys"]:
            click.echo(vkey)


@click.group("witness", short_help="Witness the logs of others.")
def witness() -> None:
    """Witness the logs of others: cosign their checkpoints, where their trees only grow."""


@witness.command("add", short_help="Witness a log.")
@click.option("--key", metavar="VKEY", multiple=True, required=True, help="A key of the log; may be repeated.")
@house.options
@output.json_flag()
def add(key: tuple[str, ...], data: str | None, database: str | None, as_json: bool) -> None:
    """Witness a log from now on. It sends its checkpoints to `/tlog-witness/add-checkpoint` of this server."""
    with house.opened(data, database) as held:
        added = held.ask("WitnessLog", vkeys=list(key))
    if as_json:
        output.print_json({"origin": added["origin"]})
    else:
        click.echo(f"The log {output.printable(added['origin'])} is witnessed.")


@witness.command("list", short_help="List the logs that are witnessed.")
@house.options
@output.json_flag()
def list_(data: str | None, database: str | None, as_json: bool) -> None:
    """List the logs that are witnessed, with the latest size that was cosigned of each."""
    with house.opened(data, database) as held:
        logs = held.ask("ListWitnessedLogs")["logs"]
    if as_json:
        output.print_json({"logs": logs})
        return
    output.print_table(("LOG", "SIZE", "SEEN"), [(each["origin"], str(each["size"]), _seen(each)) for each in logs])


def _seen(log: dict[str, object]) -> str:
    seen = log.get("seen_at")
    return f"{seen:%Y-%m-%dT%H:%M:%SZ}" if isinstance(seen, datetime) else "never"
