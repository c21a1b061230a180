"""`crownkeep backup`: copies of everything, made while servers run, verified without keys, and restored with the sealing key."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crownkeep.cli import house, output, trail_sources
from crownkeep.cli.account import account_id
from crownkeep.cli.failures import WrongCall
from crownkeep.cli.house import House

if TYPE_CHECKING:
    from crownkeep.audit.notes import VerifierKey
    from crownkeep.backups.making import Made
    from crownkeep.backups.manifest import Manifest
    from crownkeep.backups.restoring import Restored
    from crownkeep.credentials.sealing import Keyring

_LONGEST_REASON = 500


@click.group("backup", short_help="Make, verify and restore backups.")
def command() -> None:
    """Make, verify and restore backups of everything.

    A backup is sealed with a key that is derived from the sealing key, which is never inside: keep `sealing.key` elsewhere, or no
    backup opens.
    """


@command.command("create", short_help="Make a backup, while servers run.")
@click.option(
    "--to", "target", metavar="TARGET", required=True, type=click.Path(path_type=Path), help="The directory to keep it in."
)
@click.option("--account", metavar="ID", callback=account_id, help="The account whose contacts are alerted where it fails.")
@house.options
@output.json_flag()
def create(target: Path, account: str | None, data: str | None, database: str | None, as_json: bool) -> None:
    """Make a backup of the database and of the data directory's files, as they were at one moment.

    Its folder has its name only once everything is on the disk: what was interrupted is never taken for a backup.
    """
    from crownkeep import clock
    from crownkeep.backups.faults import BackupFault
    from crownkeep.credentials.sealing import Unsealable
    from crownkeep.storage.database import DatabaseFault
    from crownkeep.trail import catching_up

    target = target.expanduser().absolute()
    with house.opened(data, database) as held:
        backup_id = clock.token_bytes(4).hex()
        held.ask("StartBackup", backup_id=backup_id, target=str(target))
        try:
            if not held.is_served:
                catching_up.catch_up(held.database, held.directory.keyring)
            made = _made(held, target, backup_id)
        except (BackupFault, OSError, DatabaseFault, Unsealable, KeyboardInterrupt) as error:
            reason = _reason(error)
            held.ask("FailBackup", backup_id=backup_id, target=str(target), reason=reason, account_id=account)
            raise click.ClickException(f"no backup was made: {reason}") from error
        digest = hashlib.sha256((made.place / "manifest").read_bytes()).hexdigest()
        found = made.manifest
        kept = {"records": found.records, "size": found.size, "manifest_sha256": digest}
        held.ask("CompleteBackup", backup_id=backup_id, target=str(target), **kept)
    told = _described(made.place, found) | {"manifest_sha256": digest, "vkey": found.vkey}
    if as_json:
        output.print_json(told)
    else:
        click.echo(
            f"{made.place}\n  {found.records} records, {output.counted(found.size, 'byte')}, sealed with {found.sealing_key_id}"
        )
        click.echo(f"  signed by {found.vkey}")


def _made(held: House, target: Path, backup_id: str) -> Made:
    from crownkeep import clock
    from crownkeep.backups import making

    return making.make(held.database, held.directory.keyring, held.directory.path, target, backup_id=backup_id, now=clock.now())


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
@click.argument("target", type=click.Path(path_type=Path))
@output.json_flag()
def list_(target: Path, as_json: bool) -> None:
    """List the backups in a target, the oldest first. No key is needed."""
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    found: list[dict[str, Any]] = []
    for folder in targets.folders(target):
        try:
            manifest, _ = targets.read_manifest(folder)
            found.append(_described(folder, manifest))
        except UnsoundManifest as error:
            found.append({"name": folder.name, "fault": str(error)})
    if as_json:
        output.print_json({"backups": found})
        return
    rows = [(each["name"], str(each.get("records", "")), str(each.get("size", "")), each.get("fault", "")) for each in found]
    output.print_table(("BACKUP", "RECORDS", "BYTES", ""), rows)


@command.command("verify", short_help="Verify backups without any secret.")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--key", metavar="VKEY", multiple=True, help="The key that must have signed; `create` prints it.")
@output.json_flag()
def verify(target: Path, key: tuple[str, ...], as_json: bool) -> None:
    """Verify every backup in a target by its signed manifest and the hashes of its sealed parts; exits 1 where one is not sound.

    Without `--key` the key that a backup names itself is believed: then this finds damage, and not somebody who made all of it.
    """
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    trusted = _keys(key)
    told: list[dict[str, Any]] = []
    for folder in targets.folders(target):
        try:
            manifest, signer = targets.read_manifest(folder, trusted)
            faults = targets.faults(folder, manifest)
            told.append({"name": folder.name, "ok": not faults, "signed_by": signer.text, "findings": faults})
        except UnsoundManifest as error:
            told.append({"name": folder.name, "ok": False, "signed_by": None, "findings": [str(error)]})
    if not told:
        raise click.ClickException(f"there is no backup in `{target}`")
    is_sound = all(each["ok"] for each in told)
    if as_json:
        output.print_json({"ok": is_sound, "is_key_known": bool(trusted), "backups": told})
    else:
        for each in told:
            click.echo(f"{each['name']}: {'sound' if each['ok'] else 'NOT sound'}")
            for text in each["findings"]:
                click.echo(f"  {output.printable(text)}")
        if not trusted:
            click.echo("Not seen: whether the key that signed is this installation's; name it with `--key`.")
    if not is_sound:
        raise SystemExit(1)


@command.command("restore", short_help="Restore a backup into a new data directory.")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--data", "new", metavar="NEW-DIR", required=True, type=click.Path(path_type=Path), help="The data directory to make."
)
@click.option(
    "--sealing-key", "key_file", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The sealing key's file."
)
@click.option("--id", "backup_id", metavar="ID", help="Which backup; the newest one unless given.")
@click.option("--database", metavar="URL", help="An empty database to restore into; SQLite in the new directory unless given.")
@click.option(
    "--checkpoint", metavar="FILE", type=click.Path(path_type=Path), help="The newest checkpoint that was kept elsewhere."
)
@click.option("--key", metavar="VKEY", multiple=True, help="The key that must have signed the backup.")
@output.json_flag()
def restore(
    target: Path,
    new: Path,
    key_file: Path,
    backup_id: str | None,
    database: str | None,
    checkpoint: Path | None,
    key: tuple[str, ...],
    as_json: bool,
) -> None:
    """Restore a backup. Nothing is put in its place before the trail has proved, by its checkpoint, that all of it came back.

    With `--checkpoint` it says how many records followed that are lost. Browser sessions and one-time links are not brought back.
    """
    from crownkeep.backups import restoring

    newest = trail_sources.kept_checkpoints([checkpoint])[0] if checkpoint is not None else None
    folder, manifest = _chosen(target, backup_id, _keys(key))
    new = new.expanduser().absolute()
    told = restoring.restore(folder, manifest, _keyring(key_file), new, key_file, database=database or "", newest=newest)
    # By its own URL: settings of this machine may name another database, which must not hear of it.
    with house.opened(str(new), database or f"sqlite:///{new / 'crownkeep.db'}") as held:
        held.ask(
            "RestoreBackup", backup_id=manifest.backup_id, made_at=manifest.made_at, records=told.records, missing=told.missing
        )
    if as_json:
        output.print_json(_of_restored(new, told))
        return
    counts = f"{told.records} records, {told.rows} rows, {told.files} files"
    click.echo(f"Restored into `{new}`: {counts}, as of {manifest.made_at:%Y-%m-%dT%H:%M:%SZ}.")
    click.echo("The trail is as it was, up to the checkpoint that was sealed with it.")
    if told.missing is None:
        click.echo("Not seen: what was recorded since; name the newest checkpoint that was kept elsewhere with `--checkpoint`.")
    else:
        click.echo(f"{output.counted(told.missing, 'record')} that the given checkpoint tells of are missing.")


@command.command("drill", short_help="Try a restore, and leave nothing of it.")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--sealing-key", "key_file", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The sealing key's file."
)
@click.option("--id", "backup_id", metavar="ID", help="Which backup; the newest one unless given.")
@click.option("--key", metavar="VKEY", multiple=True, help="The key that must have signed the backup.")
@output.json_flag()
def drill(target: Path, key_file: Path, backup_id: str | None, key: tuple[str, ...], as_json: bool) -> None:
    """Restore a backup into a directory of this command's own, verify the trail there, and remove it all again.

    It proves that this backup opens with this key, and comes back whole. TMPDIR says where; it takes the room of a database.
    """
    from crownkeep.backups import restoring

    folder, manifest = _chosen(target, backup_id, _keys(key))
    with tempfile.TemporaryDirectory(prefix="crownkeep-drill-") as place:
        new = Path(place) / "data"
        told = restoring.restore(folder, manifest, _keyring(key_file), new, key_file, database="", newest=None)
    if as_json:
        output.print_json({"ok": True, "backup_id": manifest.backup_id, "made_at": manifest.made_at, "records": told.records})
    else:
        click.echo(f"{folder.name} comes back whole: {told.records} records, {told.rows} rows, {told.files} files.")


def _of_restored(new: Path, told: Restored) -> dict[str, object]:
    return {
        "data": str(new),
        "backup_id": told.manifest.backup_id,
        "made_at": told.manifest.made_at,
        "records": told.records,
        "rows": told.rows,
        "files": told.files,
        "missing": told.missing,
        "newest_checkpoint_at": told.newest_at,
        "not_seen": told.not_seen,
    }


def _chosen(target: Path, backup_id: str | None, keys: list[VerifierKey]) -> tuple[Path, Manifest]:
    """Return a backup that is sound, the newest of those that are meant; raises ClickException."""
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    folders = [each for each in targets.folders(target) if backup_id is None or each.name.endswith(f"-{backup_id}")]
    if not folders:
        raise click.ClickException(f"there is no such backup in `{target}`")
    try:
        manifest, _ = targets.read_manifest(folders[-1], keys)
    except UnsoundManifest as error:
        raise click.ClickException(f"`{folders[-1].name}`: {error}; choose another with `--id`") from error
    faults = targets.faults(folders[-1], manifest)
    if faults:
        raise click.ClickException(f"`{folders[-1].name}` is not sound: {faults[0]}; choose another with `--id`")
    return folders[-1], manifest


def _keyring(file: Path) -> Keyring:
    from crownkeep.credentials import sealing
    from crownkeep.credentials.sealing import MalformedKeyFile

    try:
        return sealing.read_key_file(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, MalformedKeyFile) as error:
        raise WrongCall(f"`{file}` is no file of sealing keys: {output.printable(str(error))}") from error


def _keys(texts: tuple[str, ...]) -> list[VerifierKey]:
    from crownkeep.audit import notes
    from crownkeep.audit.notes import MalformedNote

    try:
        return [notes.read_key(each) for each in texts]
    except MalformedNote as error:
        raise WrongCall(f"`--key`: {error}") from error


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
    }
