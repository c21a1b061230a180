"""`crownkeep trail verify` and `checkpoint`: is the trail as it was, and what is there to keep elsewhere?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crownkeep.cli import house, output, trail_sources
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.audit.notes import Note
    from crownkeep.audit.tlog_policy import Policy
    from crownkeep.trail.verifying import TrailReport

_MOST_SHOWN = 50
_MOST_NAMED = 64


@click.command("verify", short_help="Verify the whole trail, with public keys alone.")
@click.option(
    "--tiles",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="A copy of what /tlog/ publishes, in place of the database.",
)
@click.option(
    "--export",
    "exported",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An export, in place of the database.",
)
@click.option(
    "--checkpoint",
    "olds",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@click.option("--record", "is_recorded", is_flag=True, help="Record that it was verified and what was found.")
@trail_sources.trust_options
@house.options
@output.json_flag()
def verify(
    tiles: Path | None,
    exported: Path | None,
    olds: tuple[Path, ...],
    policy: Path | None,
    key: tuple[str, ...],
    is_recorded: bool,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Verify records, leaves, tree and checkpoints; exits 1 where anything is not as it was.

    It needs no secret and no server, and changes nothing. Without `--policy` or `--key` it trusts the keys in the database, which
    whoever changed the trail could have changed, too. Without `--checkpoint` nobody can know of records that were cut off at the
    end together with their checkpoints: keep one elsewhere.

    `--record` adds a record of it to the trail, and accounts are told in the console. Let a timer run it, with `--policy` and
    `--checkpoint`.
    """
    if is_recorded and (tiles is not None or exported is not None):
        raise WrongCall("`--record` is for the database itself: a copy may be of another day")
    if tiles is not None and exported is not None:
        raise WrongCall("give `--tiles` or `--export`, not both")
    trusted, kept = trail_sources.trusted(policy, key), trail_sources.kept_checkpoints(olds)
    if tiles is not None or exported is not None:
        report = _of_files(tiles, exported, trusted, kept)
    else:
        report = _of_database(data, database, trusted, kept, is_quiet=as_json)
    # Recorded whatever was found: a finding that is in the trail can't be talked away later.
    if is_recorded:
        _record(data, database, report, kept)
    if as_json:
        output.print_json(_as_json(report))
    else:
        _print(report)
    if not report.is_as_it_was:
        raise SystemExit(1)


def _of_database(
    data: str | None, database: str | None, policy: Policy | None, olds: list[Note], *, is_quiet: bool
) -> TrailReport:
    from crownkeep.storage.trail import leaves
    from crownkeep.trail import verifying

    with (
        trail_sources.offline(data, database) as opened,
        opened.snapshot() as db,
        trail_sources.progress_bar(leaves.count(db), is_quiet=is_quiet) as progress,
    ):
        return verifying.verify(db, policy=policy, olds=olds, progress=progress)


def _record(data: str | None, database: str | None, report: TrailReport, olds: Sequence[Note]) -> None:
    from crownkeep.audit import checkpoints

    # Told by their sizes: what was compared with says how far back a rewritten trail would have been noticed.
    sizes = [checkpoints.read(each).size for each in olds]
    with house.opened(data, database) as held:
        held.ask(
            "RecordTrailVerification",
            size=report.size,
            findings=report.findings.count,
            signed_by=report.signed_by[:_MOST_NAMED],
            checkpoint_sizes=sizes[:_MOST_NAMED],
        )


def _of_files(tiles: Path | None, exported: Path | None, policy: Policy | None, olds: Sequence[Note]) -> TrailReport:
    from crownkeep.trail import verifying_files
    from crownkeep.trail.verifying_files import UnreadableCopy

    # A copy has no keys beside it that could be trusted at all: whoever made it could have put theirs there.
    if policy is None:
        raise WrongCall("say whose signature you trust: `--policy FILE` or `--key VKEY`")
    try:
        if tiles is not None:
            return verifying_files.verify_tiles(tiles, policy=policy, olds=olds, progress=lambda _: None)
        return verifying_files.verify_export(exported or Path(), policy=policy, olds=olds, progress=lambda _: None)
    except (UnreadableCopy, OSError) as error:
        raise WrongCall(output.printable(str(error))) from error


def _as_json(report: TrailReport) -> dict[str, object]:
    return {
        "ok": report.is_as_it_was,
        "origin": report.origin,
        "size": report.size,
        "signed": report.signed,
        "records": report.records,
        "sealed": report.sealed,
        "withheld": report.withheld,
        "pending": report.pending,
        "checkpoints": report.checkpoints,
        "newest_checkpoint_at": report.newest_at,
        "signed_by": report.signed_by,
        "findings": [
            {"kind": each.kind.value, "text": each.text, "index": each.index, "event_id": each.event_id}
            for each in report.findings.first
        ],
        "findings_total": report.findings.count,
        "not_seen": report.not_seen,
    }


def _print(report: TrailReport) -> None:
    signers = ", ".join(report.signed_by) or "nobody who is trusted"
    sealed = f", {report.sealed} of them in sealed files" if report.sealed else ""
    pairs = [
        ("log", report.origin or "no checkpoint yet"),
        ("signed by", signers),
        ("records", f"{report.records} of {report.size} leaves, {report.withheld} withheld{sealed}"),
        ("checkpoints", f"{report.checkpoints}, which {report.signed} of the leaves agree with"),
    ]
    if report.is_as_it_was:
        click.echo("The trail is as it was:")
    else:
        click.echo(f"The trail is NOT as it was, {output.counted(report.findings.count, 'finding')}:")
        for each in report.findings.first[:_MOST_SHOWN]:
            click.echo(f"  {each.kind.value}: {output.printable(each.text)}")
        if report.findings.count > _MOST_SHOWN:
            click.echo(f"  and {report.findings.count - _MOST_SHOWN} more; `--json` lists the first thousand")
    output.print_pairs(pairs)
    for text in report.not_seen:
        click.echo(f"Not seen: {text}.")


@click.command("checkpoint", short_help="Print the newest checkpoint, to be kept elsewhere.")
@house.options
@output.json_flag()
def checkpoint(data: str | None, database: str | None, as_json: bool) -> None:
    """Print the newest checkpoint with its signatures. Keep it where nobody who could change the trail can change it.

    `crownkeep trail verify --checkpoint FILE` then says whether anything before it was changed or cut off.
    """
    from crownkeep.audit import notes
    from crownkeep.storage.trail import checkpoints, log_keys
    from crownkeep.trail import publishing

    with house.opened(data, database) as held:
        # Or a checkpoint that is kept elsewhere would leave out what was recorded while no server ran.
        held.settle_trail()
        with held.database.snapshot() as db:
            row = checkpoints.newest(db)
            if row is None:
                raise click.ClickException("nothing is recorded yet: there is no checkpoint")
            note, keys = publishing.note(db, row), [each.vkey for each in log_keys.every(db, log_keys.LOG)]
    if not as_json:
        click.echo(note, nl=False)
        return
    answer = {"origin": row.origin, "size": row.size, "root": notes.encode(row.root), "signed_at": row.signed_at}
    output.print_json({**answer, "note": note, "keys": keys})


@click.command("keys", short_help="Print whom a verifier must trust, as a policy file.")
@house.options
@output.json_flag()
def keys(data: str | None, database: str | None, as_json: bool) -> None:
    """Print the log's public keys as a tlog-policy file, for `verify --policy` and `check --policy`.

    Add lines for the witnesses that you trust, and ask for them in the line `quorum`.
    """
    from crownkeep.domain import trail_keys
    from crownkeep.storage.trail import log_keys

    with house.opened(data, database) as held:
        trail_keys.prepare(held.database, held.directory.keyring)
        with held.database.snapshot() as db:
            found = {role: [each.vkey for each in log_keys.every(db, role)] for role in (log_keys.LOG, log_keys.WITNESS)}
    if as_json:
        output.print_json({"log": found[log_keys.LOG], "witness": found[log_keys.WITNESS]})
        return
    for vkey in found[log_keys.LOG]:
        click.echo(f"log {vkey}")
    click.echo("quorum none")
