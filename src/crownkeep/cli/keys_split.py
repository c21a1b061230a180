"""`crownkeep keys split`, `unseal` and `join`: a sealing key that is on no disk, and that k people hand in at each start."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crownkeep.cli import backup_places as places
from crownkeep.cli import house, output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.backups.shares import KeyShare
    from crownkeep.credentials.split_keys import SplitKey

_FILE = click.Path(path_type=Path)
_MOUNTS = Path("/proc/self/mounts")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_share_option = click.option(
    "--share", "files", metavar="FILE", type=_FILE, multiple=True, help="A share; `-` reads it from here."
)


@click.command("split", short_help="Let k people hand in the sealing key at each start.")
@click.argument("recipient", metavar="RECIPIENT", type=_FILE)
@click.option(
    "--into", metavar="FILE", required=True, type=_FILE, help="Where the opened key is kept, in a file system in memory."
)
@_share_option
@house.options
@output.json_flag()
def split(recipient: Path, into: Path, files: tuple[Path, ...], data: str | None, database: str | None, as_json: bool) -> None:
    """Take the sealing key off the disk: from now on a server starts only after `crownkeep keys unseal`.

    RECIPIENT is the public half that `crownkeep backup new-recipient --shares` made. Give enough shares with `--share`: nothing
    is taken away before they have opened the key. Servers that run go on. Rotate the key afterwards, as disks keep what was
    deleted.
    """
    from crownkeep import sealing_key_file
    from crownkeep.credentials import sealing, split_keys

    into = into.expanduser().absolute()
    _require_memory(into)
    found = _read(files)
    with house.opened_where_it_is(data, database) as held:
        path, key_file = held.directory.path, sealing.write_key_file(held.directory.keyring).reveal().encode()
        made = split_keys.wrap(key_file, places.read(recipient), split=found[0].split, needed=found[0].needed)
        if _opened(made, found) != key_file:
            raise click.ClickException("the shares do not open what was wrapped; nothing was changed")
        held.ask("SplitSealingKey", needed=made.needed)
        sealing_key_file.move_key(path, made, into)
    if as_json:
        output.print_json({"needed": made.needed, "into": str(into)})
    else:
        click.echo(f"The sealing key is in `{into}` until this machine restarts. Then {made.needed} shares open it.")
        click.echo("Run `crownkeep keys rotate` now: a disk may keep what was deleted.")


@click.command("unseal", short_help="Hand in shares of the sealing key, before a start.")
@_share_option
@click.option("--again", is_flag=True, help="Forget the shares that were handed in before.")
@house.options
@output.json_flag()
def unseal(files: tuple[Path, ...], again: bool, data: str | None, database: str | None, as_json: bool) -> None:
    """Hand in shares of the sealing key, all at once or each by its holder, until there are enough; then a server starts.

    What was handed in waits in memory, beside where the key will be.
    """
    from crownkeep import data_directory, durable_files, sealing_key_file, settings

    path = settings.load({"data": data, "database": database}).data_directory
    given = _read(files, data_directory.split_key(path))
    into = _place_of_key(path)
    # From here on nobody else hands in shares, and nobody rotates: an older key must not take the place of a newer one.
    with sealing_key_file.opening(path):
        kept = data_directory.split_key(path)
        _require_shares_of(kept, given)
        waiting = into.with_name(f"{into.name}.shares")
        if again:
            _forget(waiting)
        found = {each.number: each for each in (*_waiting(waiting, kept), *given)}
        if len(found) < kept.needed:
            _keep(waiting, found.values())
            _tell(kept.needed, len(found), as_json=as_json)
            return
        try:
            key_file = _opened(kept, list(found.values()))
        finally:
            # Where one of them is wrong, nobody can tell which: all are handed in again.
            _forget(waiting)
        durable_files.replace(into, key_file.decode())
    with house.opened_where_it_is(data, database) as held:
        held.ask("OpenSealingKey", shares=sorted(found))
    _tell(kept.needed, len(found), as_json=as_json)


@click.command("join", short_help="Keep the sealing key on the disk again.")
@house.options
@output.json_flag()
def join(data: str | None, database: str | None, as_json: bool) -> None:
    """Put a split sealing key on the disk again, so that servers start without shares. It must be open."""
    from crownkeep import data_directory, sealing_key_file

    with house.opened_where_it_is(data, database) as held:
        data_directory.split_key(held.directory.path)
        held.ask("JoinSealingKey")
        sealing_key_file.join_key(held.directory.path)
    if as_json:
        output.print_json({"joined": True})
    else:
        click.echo("The sealing key is on the disk again.")


def _tell(needed: int, given: int, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"open": given >= needed, "given": given, "needed": needed})
    elif given >= needed:
        click.echo("The sealing key is open: start the server.")
    else:
        click.echo(f"{given} of {needed} shares are here; {output.counted(needed - given, 'more share')} must be handed in.")


def _require_memory(file: Path) -> None:
    """Refuse a place that outlives a restart; raises WrongCall."""
    folder = file.parent.resolve()
    if not folder.is_dir():
        raise WrongCall(f"there is no directory `{folder}`")
    mounts = [line.split(" ")[1:3] for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    kinds = {Path(place.encode().decode("unicode_escape")): kind for place, kind in mounts}
    kind = next(kinds[each] for each in (folder, *folder.parents) if each in kinds)
    if kind not in _IN_MEMORY:
        raise WrongCall(f"`{folder}` is on a disk ({output.printable(kind)}): name a file in memory, such as below /run")


def _place_of_key(path: Path) -> Path:
    from crownkeep import data_directory

    file = path / data_directory.SEALING_KEY
    if not file.is_symlink():
        raise click.ClickException(f"`{file}` opens without shares: there is nothing to hand in")
    into = path / file.readlink()
    _require_memory(into)
    return into


def _read(files: Sequence[Path], kept: SplitKey | None = None) -> list[KeyShare]:
    """Return the shares in files; raises WrongCall for none, and for those of another key."""
    from crownkeep.backups import shares
    from crownkeep.backups.faults import BackupFault

    if not files:
        raise WrongCall("give shares with `--share FILE`, or `--share -` to type one")
    found = []
    for file in files:
        text = _typed() if str(file) == "-" else places.read(file)
        try:
            found.append(shares.read(text))
        except BackupFault as error:
            raise WrongCall(f"`{file}`: {error}") from error
    _require_shares_of(found[0] if kept is None else kept, found)
    return found


def _require_shares_of(key: SplitKey | KeyShare, found: Sequence[KeyShare]) -> None:
    if any((each.split, each.needed) != (key.split, key.needed) for each in found):
        raise WrongCall("a share belongs to another key: the first three words are the same for all shares of one")


def _typed() -> str:
    """Return a share that is typed or piped in; what is typed is not shown."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Share", hide_input=True, prompt_suffix=": ")
        return typed
    return sys.stdin.readline()


def _opened(kept: SplitKey, found: Sequence[KeyShare]) -> bytes:
    from crownkeep.backups import shares
    from crownkeep.credentials import recipients

    return kept.open(recipients.from_secret(shares.combine(found)))


def _waiting(folder: Path, kept: SplitKey) -> list[KeyShare]:
    """Return the shares of this key that wait; raises ClickException where somebody else could have put them there."""
    from crownkeep.backups import shares

    try:
        status = folder.lstat()
    except FileNotFoundError:
        return []
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != 0o700 or not stat.S_ISDIR(status.st_mode):
        raise click.ClickException(f"`{folder}` is somebody else's: remove it")
    # A command that was killed may have left half a share behind, under a hidden name.
    files = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
    found = [shares.read(file.read_text(encoding="utf-8")) for file in files]
    return [each for each in found if (each.split, each.needed) == (kept.split, kept.needed)]


def _keep(folder: Path, found: Iterable[KeyShare]) -> None:
    from crownkeep import durable_files

    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    for each in found:
        durable_files.replace(folder / str(each.number), each.words.reveal())


def _forget(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
