"""`crownkeep trail export` and `search`: copies of the trail for others, and what is found in all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.cli import house, output, trail_sources
from crownkeep.cli.account import account_id
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.trail.exporting import TrailSelection

Function = TypeVar("Function", bound=Callable[..., object])


def moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Read a date or a time, in UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("give a date or a time, such as `2026-11-24` or `2026-11-24T12:00:00Z`") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _selecting(command: Function) -> Function:
    options = (
        click.option("--account", metavar="ID", callback=account_id, help="Of this account alone."),
        click.option("--since", metavar="TIME", callback=moment, help="Nothing older."),
        click.option("--until", metavar="TIME", callback=moment, help="Nothing of this time or newer."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("export", short_help="Write a copy of the trail.")
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["jsonl", "cloudtrail", "ocsf"]),
    default="jsonl",
    show_default=True,
    help="JSON lines that `verify --export` verifies, one CloudTrail log file, or OCSF 1.4.0 events.",
)
@_selecting
@house.options
@output.json_flag()
def export(
    out: Path,
    format_: str,
    account: str | None,
    since: datetime | None,
    until: datetime | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Write the whole trail, or a part of it, into a file; it needs no secret and no server.

    A whole export in JSON lines holds every leaf, those of withheld records too, and the newest checkpoint.
    """
    from crownkeep.trail import exporting
    from crownkeep.trail.exporting import TrailSelection

    write, end = exporting.FORMATS[format_]
    pieces = 0
    with trail_sources.offline(data, database) as opened, opened.snapshot() as db:
        try:
            with out.open("w", encoding="utf-8") as file:
                for piece in write(db, TrailSelection(account_id=account, since=since, until=until)):
                    file.write(piece + end)
                    pieces += 1
        except OSError as error:
            raise WrongCall(f"`{out}` can't be written: {error.strerror}") from error
    if not pieces:
        raise click.ClickException("there is no checkpoint yet: start the server, or run `crownkeep trail checkpoint`")
    if as_json:
        output.print_json({"file": str(out), "format": format_})
    else:
        click.echo(f"The export is in {output.printable(str(out))}.")


@click.command("search", short_help="Search the whole trail.")
@click.option("--event-name", metavar="NAME", help="Such as `CreateUser`.")
@click.option("--username", metavar="NAME", help="Who did it: a user's name, a session's, or `root`.")
@click.option("--source", metavar="NAME", help="Such as `iam.amazonaws.com`.")
@click.option("--access-key", metavar="ID", help="The access key that signed.")
@click.option("--event-id", metavar="ID", help="The event's id.")
@click.option("--resource", metavar="NAME", help="The name or ARN of something that it was about.")
@click.option("--text", metavar="TEXT", help="What stands anywhere in the record.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many records at most.")
@_selecting
@house.options
@output.json_flag("Print JSON: whole CloudTrail records with their indexes.")
def search(limit: int, data: str | None, database: str | None, as_json: bool, **sought: Any) -> None:
    """Search every account's records by anything, the oldest first; however old, and without a server."""
    from itertools import islice

    from crownkeep.trail import exporting

    with trail_sources.offline(data, database) as opened, opened.snapshot() as db:
        found = list(islice(exporting.records(db, _selection(sought)), limit))
    if as_json:
        output.print_json({"events": [{"index": index, "record": record} for index, record in found]})
        return
    headings = ("INDEX", "TIME", "ACCOUNT", "EVENT", "WHO", "FROM", "ERROR")
    output.print_table(headings, [(str(index), *_row(record)) for index, record in found])


def _selection(sought: Mapping[str, Any]) -> TrailSelection:
    from crownkeep.trail.exporting import TrailSelection

    event_id = sought["event_id"]
    return TrailSelection(
        account_id=sought["account"],
        since=sought["since"],
        until=sought["until"],
        event_name=sought["event_name"],
        username=sought["username"],
        source=sought["source"],
        access_key_id=sought["access_key"],
        event_id=event_id.replace("-", "").lower() if event_id is not None else None,
        resource=sought["resource"],
        text=sought["text"],
    )


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    identity = record["userIdentity"]
    who = identity.get("arn") or identity.get("invokedBy") or identity["type"]
    return (
        record["eventTime"],
        record["recipientAccountId"],
        record["eventName"],
        who,
        record["sourceIPAddress"],
        record.get("errorCode", ""),
    )
