"""`crownkeep backup`: copies of everything, made while servers run, verified without keys, and restored with the sealing key."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crownkeep.cli import backup_places as places
from crownkeep.cli import backup_recipients, house, output, trail_sources
from crownkeep.cli.account import account_id
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.house import House

if TYPE_CHECKING:
    from crownkeep.audit.notes import VerifierKey
    from crownkeep.backups.making import Made, Sealed
    from crownkeep.backups.manifest import BackupPiece, Manifest
    from crownkeep.backups.restoring import Restored
    from crownkeep.backups.s3 import BackupBucket
    from crownkeep.cli.backup_places import Opening, TargetBackups

_LONGEST_REASON = 500
_FILE = click.Path(path_type=Path)


@click.group("backup", short_help="Make, verify and restore backups.")
def command() -> None:
    """Make, verify and restore backups of everything.

    A backup is sealed with a key that is derived from the sealing key, which is never inside: keep `sealing.key` elsewhere, or no
    backup opens.
    """


command.add_command(backup_recipients.command)


@command.command("create", short_help="Make a backup, while servers run.")
@click.option("--to", "target", metavar="TARGET", required=True, help="The directory to keep it in, or `s3://BUCKET/PREFIX`.")
@places.endpoint_option
@click.option(
    "--recipient", metavar="FILE", type=_FILE, help="Seal it for this recipient, without whose identity it opens no more."
)
@click.option(
    "--include-sealing-key",
    "passphrase_file",
    metavar="FILE",
    type=_FILE,
    help="Put the sealing key inside, wrapped by the passphrase in this file.",
)
@click.option(
    "--sealing-key-for",
    metavar="FILE",
    type=_FILE,
    help="Put the sealing key inside, for the recipient in this file, whose identity may be split into shares.",
)
@click.option("--account", metavar="ID", callback=account_id, help="The account whose contacts are alerted where it fails.")
@house.options
@output.json_flag()
def create(
    target: str,
    endpoint: str,
    recipient: Path | None,
    passphrase_file: Path | None,
    sealing_key_for: Path | None,
    account: str | None,
    data: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Make a backup of the database and of the data directory's files, as they were at one moment.

    Its folder has its name only once everything is on the disk: what was interrupted is never taken for a backup. For a bucket
    it is made in TMPDIR first, which takes the room of a backup.
    """
    from crownkeep import clock
    from crownkeep.backups.faults import BackupFault
    from crownkeep.credentials.recipients import UnusableRecipient
    from crownkeep.credentials.sealing import Unsealable
    from crownkeep.storage.database import DatabaseFault
    from crownkeep.storage.trail.tree import AlteredTree, IncompleteTree
    from crownkeep.trail import catching_up

    faults = (AlteredTree, IncompleteTree, Unsealable, UnusableRecipient)
    seal = _sealing(recipient, passphrase_file, sealing_key_for)
    bucket = places.bucket_of(target, endpoint)
    target = target if bucket is not None else str(Path(target).expanduser().absolute())
    with house.opened(data, database) as held:
        backup_id = clock.token_bytes(4).hex()
        # Recorded before the first byte is read: also a backup that somebody interrupts stands in the trail.
        held.ask("StartBackup", backup_id=backup_id, target=target)
        try:
            if not held.is_served:
                # A running server puts records into the tree by itself; without one the backup's checkpoint would not hold the
                # last of them.
                catching_up.catch_up(held.database, held.directory.keyring)
            made, digest = _kept(held, target, backup_id, bucket, seal(held.directory.keyring, backup_id, now=clock.now()))
        # Ctrl-C as well: whoever interrupts a backup leaves it as a failed one in the trail.
        except (*faults, BackupFault, OSError, DatabaseFault, KeyboardInterrupt) as error:
            reason = _reason(error)
            held.ask("FailBackup", backup_id=backup_id, target=target, reason=reason, account_id=account)
            raise click.ClickException(f"no backup was made: {reason}") from error
        found = made.manifest
        kept = {"records": found.records, "size": found.size, "manifest_sha256": digest}
        held.ask("CompleteBackup", backup_id=backup_id, target=target, **kept)
    _tell_of(made, f"{target.rstrip('/')}/{made.place.name}", digest, as_json=as_json)


def _tell_of(made: Made, path: str, digest: str, *, as_json: bool) -> None:
    found = made.manifest
    if as_json:
        output.print_json(_described(made.place, found) | {"path": path, "manifest_sha256": digest, "vkey": found.vkey})
        return
    click.echo(f"{path}\n  {found.records} records, {output.counted(found.size, 'byte')}, sealed with {found.sealing_key_id}")
    click.echo(f"  signed by {found.vkey}")


def _sealing(recipient: Path | None, passphrase_file: Path | None, sealing_key_for: Path | None) -> Callable[..., Sealed]:
    """Return how a backup is to be sealed, with what its files hold; raises WrongCall before anything is begun."""
    from crownkeep.backups import making

    # At most one of the three was given.
    if [recipient, passphrase_file, sealing_key_for].count(None) < 2:
        raise WrongCall(
            "give one of `--recipient`, `--include-sealing-key` and `--sealing-key-for`: each says alone what opens the backup"
        )
    return partial(
        making.sealed_for,
        recipient="" if recipient is None else places.read(recipient),
        passphrase=None if passphrase_file is None else places.passphrase_in(passphrase_file),
        sealing_key_for="" if sealing_key_for is None else places.read(sealing_key_for),
    )


def _kept(held: House, target: str, backup_id: str, bucket: BackupBucket | None, sealed: Sealed) -> tuple[Made, str]:
    """Make a backup where it is to be kept, and return it with its manifest's digest."""
    from crownkeep.backups import making, targets

    signers = making.signers(held.database, held.directory.keyring)
    if bucket is None:
        made = _made(held, Path(target), backup_id, sealed, targets.newest_pieces(Path(target), signers))
        return made, _digest(made)
    with (
        tempfile.TemporaryDirectory(prefix="crownkeep-backup-") as place,
        tempfile.TemporaryDirectory(prefix="crownkeep-backups-") as seen,
    ):
        made = _made(held, Path(place), backup_id, sealed, bucket.newest_pieces(Path(seen), signers))
        bucket.keep(made.place, made.manifest)
        return made, _digest(made)


def _made(held: House, target: Path, backup_id: str, sealed: Sealed, known: list[BackupPiece]) -> Made:
    from crownkeep import clock
    from crownkeep.backups import making

    keyring, data = held.directory.keyring, held.directory.path
    return making.make(held.database, keyring, data, target, backup_id=backup_id, now=clock.now(), sealed=sealed, known=known)


def _digest(made: Made) -> str:
    return hashlib.sha256((made.place / "manifest").read_bytes()).hexdigest()


def _reason(error: BaseException) -> str:
    match error:
        case KeyboardInterrupt():
            text = "it was interrupted"
        case OSError(strerror=str(said)):
            text = f"`{error.filename}`: {said}" if error.filename else said
        case _:
            text = str(error).partition("\n")[0] or type(error).__name__
    return output.printable(text)[:_LONGEST_REASON]


@command.command("list", short_help="List the backups in a target.")
@places.target_argument
@places.endpoint_option
@output.json_flag()
def list_(target: str, endpoint: str, as_json: bool) -> None:
    """List the backups in a target, the oldest first. No key is needed."""
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    found: list[dict[str, Any]] = []
    with places.backups_in(target, endpoint) as backups:
        for folder in backups.folders():
            try:
                manifest, _ = targets.read_manifest(folder)
                own = {} if backups.bucket is None else {"path": f"{target.rstrip('/')}/{folder.name}"}
                found.append(_described(folder, manifest) | own)
            except UnsoundManifest as error:
                found.append({"name": folder.name, "fault": str(error)})
    if as_json:
        output.print_json({"backups": found})
        return
    rows = [(each["name"], str(each.get("records", "")), str(each.get("size", "")), each.get("fault", "")) for each in found]
    output.print_table(("BACKUP", "RECORDS", "BYTES", ""), rows)


@command.command("verify", short_help="Verify backups without any secret.")
@places.target_argument
@places.endpoint_option
@places.key_option
@output.json_flag()
def verify(target: str, endpoint: str, key: tuple[str, ...], as_json: bool) -> None:
    """Verify every backup in a target by its signed manifest and the hashes of its sealed parts; exits 1 where one is not sound.

    Without `--key` the key that a backup names itself is believed: then this finds damage, and not somebody who made all of it.
    """
    trusted = places.signers(key)
    with places.backups_in(target, endpoint) as backups:
        answer = [_verified(backups, folder, trusted) for folder in backups.folders()]
    if not answer:
        raise click.ClickException(f"there is no backup in `{target}`")
    is_sound = all(each["ok"] for each in answer)
    if as_json:
        output.print_json({"ok": is_sound, "is_key_known": bool(trusted), "backups": answer})
    else:
        for each in answer:
            click.echo(f"{each['name']}: {'sound' if each['ok'] else 'NOT sound'}")
            for text in each["findings"]:
                click.echo(f"  {output.printable(text)}")
        if not trusted:
            click.echo("Not seen: whether the key that signed is this installation's; name it with `--key`.")
    if not is_sound:
        raise SystemExit(1)


def _verified(backups: TargetBackups, folder: Path, trusted: list[VerifierKey]) -> dict[str, Any]:
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    try:
        manifest, signer = targets.read_manifest(folder, trusted)
    except UnsoundManifest as error:
        return {"name": folder.name, "ok": False, "signed_by": None, "findings": [str(error)]}
    backups.complete(folder, manifest)
    faults = targets.faults(folder, manifest)
    # One backup's parts at a time: all of a bucket's may not have room here.
    backups.forget(folder, manifest)
    return {"name": folder.name, "ok": not faults, "signed_by": signer.text, "findings": faults}


@command.command("restore", short_help="Restore a backup into a new data directory.")
@places.target_argument
@places.endpoint_option
@click.option("--data", "new", metavar="NEW-DIR", required=True, type=_FILE, help="The data directory to make.")
@places.opening_options
@click.option("--id", "backup_id", metavar="ID", help="Which backup; the newest one unless given.")
@click.option("--database", metavar="URL", help="An empty database to restore into; SQLite in the new directory unless given.")
@click.option("--checkpoint", metavar="FILE", type=_FILE, help="The newest checkpoint that was kept elsewhere.")
@output.json_flag()
def restore(
    target: str,
    endpoint: str,
    new: Path,
    given: Opening,
    backup_id: str | None,
    database: str | None,
    checkpoint: Path | None,
    as_json: bool,
) -> None:
    """Restore a backup. Nothing is put in its place before the trail has proved, by its checkpoint, that all of it came back.

    With `--checkpoint` it says how many records followed that are lost. Browser sessions and one-time links are not brought back.
    """
    from crownkeep.backups import restoring

    # Read before anything is restored, so that a file that is no checkpoint costs no half of a restore.
    newest = trail_sources.kept_checkpoints([checkpoint])[0] if checkpoint is not None else None
    new = new.expanduser().absolute()
    with places.backups_in(target, endpoint) as backups:
        folder, manifest = places.chosen(backups, target, backup_id, given.signers)
        opened = given.keys(manifest)
        answer = restoring.restore(folder, manifest, opened, new, database=database or "", newest=newest)
    # By its own URL: settings of this machine may name another database, which must not hear of it.
    with house.opened(str(new), database or f"sqlite:///{new / 'crownkeep.db'}") as held:
        held.ask(
            "RestoreBackup",
            backup_id=manifest.backup_id,
            made_at=manifest.made_at,
            records=answer.records,
            missing=answer.missing,
        )
    if as_json:
        output.print_json(_of_restored(new, answer))
        return
    counts = f"{answer.records} records, {answer.rows} rows, {answer.files} files"
    click.echo(f"Restored into `{new}`: {counts}, as of {manifest.made_at:%Y-%m-%dT%H:%M:%SZ}.")
    click.echo("The trail is as it was, up to the checkpoint that was sealed with it.")
    if answer.missing is None:
        click.echo("Not seen: what was recorded since; name the newest checkpoint that was kept elsewhere with `--checkpoint`.")
    else:
        click.echo(f"{output.counted(answer.missing, 'record')} that the given checkpoint tells of are missing.")


@command.command("drill", short_help="Try a restore, and leave nothing of it.")
@places.target_argument
@places.endpoint_option
@places.opening_options
@click.option("--id", "backup_id", metavar="ID", help="Which backup; the newest one unless given.")
@output.json_flag()
def drill(
    target: str,
    endpoint: str,
    given: Opening,
    backup_id: str | None,
    as_json: bool,
) -> None:
    """Restore a backup into a directory of this command's own, verify the trail there, and remove it all again.

    It proves that this backup opens with this key, and comes back whole. TMPDIR says where; it takes the room of a database.
    """
    from crownkeep.backups import restoring

    with places.backups_in(target, endpoint) as backups, tempfile.TemporaryDirectory(prefix="crownkeep-drill-") as place:
        folder, manifest = places.chosen(backups, target, backup_id, given.signers)
        opened = given.keys(manifest)
        answer = restoring.restore(folder, manifest, opened, Path(place) / "data", database="", newest=None)
    if as_json:
        output.print_json({"ok": True, "backup_id": manifest.backup_id, "made_at": manifest.made_at, "records": answer.records})
    else:
        click.echo(f"{folder.name} comes back whole: {answer.records} records, {answer.rows} rows, {answer.files} files.")


def _of_restored(new: Path, answer: Restored) -> dict[str, object]:
    return {
        "data": str(new),
        "backup_id": answer.manifest.backup_id,
        "made_at": answer.manifest.made_at,
        "records": answer.records,
        "rows": answer.rows,
        "files": answer.files,
        "missing": answer.missing,
        "newest_checkpoint_at": answer.newest_at,
        "not_seen": answer.not_seen,
    }


def _described(folder: Path, found: Manifest) -> dict[str, Any]:
    return {
        "name": folder.name,
        "path": str(folder.absolute()),
        "backup_id": found.backup_id,
        "made_at": found.made_at,
        "version": found.version,
        "schema_step": found.schema_step,
        "database": found.database,
        "sealing_key_id": found.sealing_key_id,
        "records": found.records,
        "size": found.size,
        "parts": len(found.parts),
        "months": sorted({piece.name.partition(".")[0] for piece in found.pieces}),
    }
