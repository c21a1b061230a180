"""`crownkeep trail prove` and `check`: one record, and the proof that it is in the trail, for anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from crownkeep import untrusted_json
from crownkeep.cli import house, output, trail_sources
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.audit.tlog_policy import Policy


def _event_id(_ctx: click.Context, _param: click.Parameter, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise click.BadParameter("give the event's id, as `eventID` of its record says it") from error


@click.command("prove", short_help="Write the proof that a record is in the trail.")
@click.argument("event_id", metavar="EVENT-ID", callback=_event_id)
@click.option("--out", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
@house.options
@output.json_flag()
def prove(event_id: UUID, out: Path, data: str | None, database: str | None, as_json: bool) -> None:
    """Write a `.tlog-proof` file with a record, and what proves that it is in the trail; `check` verifies it anywhere."""
    from crownkeep.trail import proving
    from crownkeep.trail.proving import Unproven

    with house.opened(data, database) as held:
        held.settle_trail()
        try:
            with held.database.snapshot() as db:
                proof = proving.prove(db, event_id)
        except Unproven as error:
            raise click.ClickException(str(error)) from error
    try:
        out.write_text(proof.encode(), encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"`{out}` can't be written: {error.strerror}") from error
    if as_json:
        output.print_json({"event_id": str(event_id), "index": proof.index, "file": str(out)})
    else:
        click.echo(f"The proof of record {proof.index} is in {output.printable(str(out))}.")


@click.command("check", short_help="Check a proof, anywhere.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@trail_sources.trust_options
@house.options
@output.json_flag()
def check(file: Path, policy: Path | None, key: tuple[str, ...], data: str | None, database: str | None, as_json: bool) -> None:
    """Check a `.tlog-proof` file; exits 1 where it does not prove its record.

    It asks nobody: the keys are those of `--policy` or `--key`, or else of the data directory.
    """
    from crownkeep.audit.notes import MalformedNote
    from crownkeep.trail import proving
    from crownkeep.trail.proving import Unproven

    trusted = trail_sources.trusted(policy, key) or _own_keys(data, database)
    try:
        proven = proving.check(file.read_bytes(), trusted)
    except OSError as error:
        raise WrongCall(f"`{file}` can't be read: {error.strerror}") from error
    except (Unproven, MalformedNote) as error:
        if as_json:
            output.print_json({"ok": False, "reason": str(error)})
        raise click.ClickException(f"this proves nothing: {output.printable(str(error))}") from error
    answer = {"index": proven.index, "size": proven.size, "origin": proven.origin, "signed_by": proven.signed_by}
    if as_json:
        output.print_json({"ok": True, **answer, "record": untrusted_json.read(proven.record)})
        return
    click.echo(f"This record is number {proven.index} of {proven.size} of the log {output.printable(proven.origin)}:")
    output.print_json(untrusted_json.read(proven.record))


def _own_keys(data: str | None, database: str | None) -> Policy:
    from crownkeep.audit import tlog_policy
    from crownkeep.domain import trail_keys
    from crownkeep.storage.trail import log_keys

    with trail_sources.offline(data, database) as opened, opened.snapshot() as db:
        return tlog_policy.trusting(trail_keys.public(log_keys.every(db, log_keys.LOG)))
