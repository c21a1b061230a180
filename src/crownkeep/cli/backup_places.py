"""Where backups of a command are: in a directory, or fetched from a bucket; and the files of keys that open one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.audit.notes import VerifierKey
    from crownkeep.backups.manifest import Manifest
    from crownkeep.backups.restoring import BackupKeys
    from crownkeep.backups.s3 import BackupBucket
    from crownkeep.credentials.recipients import Identity
    from crownkeep.credentials.secret import Secret

Function = TypeVar("Function", bound=Callable[..., Any])
_BUCKET = "s3://"
_LARGEST_FILE = 1 << 20

target_argument = click.argument("target", metavar="TARGET")
"""A directory, or `s3://BUCKET/PREFIX`."""

endpoint_option = click.option(
    "--endpoint", metavar="URL", default="", help="The server of an `s3://` target, where it is not Amazon's."
)


key_option = click.option("--key", metavar="VKEY", multiple=True, help="The key that must have signed; `create` prints it.")


def opening_options(command: Function) -> Function:
    """Give a command the options that name what opens a backup, and who must have signed it; they come together as `given`."""

    @wraps(command)
    def gather(
        key_file: Path | None,
        passphrase_file: Path | None,
        identity: Path | None,
        share: tuple[Path, ...],
        key: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        return command(given=Opening(key_file, passphrase_file, identity, share, signers(key)), **rest)

    file = click.Path(path_type=Path)
    gathered: Any = gather
    for option in (
        key_option,
        click.option(
            "--share", metavar="FILE", type=file, multiple=True, help="A share of the identity; give as many as are needed."
        ),
        click.option(
            "--identity", metavar="FILE", type=file, help="The recipient's identity, where the backup was made for one."
        ),
        click.option(
            "--passphrase-file", metavar="FILE", type=file, help="What opens the sealing key, where it is in the backup."
        ),
        click.option("--sealing-key", "key_file", metavar="FILE", type=file, help="The sealing key's file."),
    ):
        gathered = option(gathered)
    return gathered  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class TargetBackups:
    """Backups within reach: each in a folder here, of a bucket the manifests alone until `complete`."""

    place: Path
    bucket: BackupBucket | None = None

    def folders(self) -> list[Path]:
        """Return the folders of the backups, the oldest first."""
        from crownkeep.backups import targets

        return targets.folders(self.place)

    def complete(self, folder: Path, found: Manifest) -> None:
        """Have the parts of a backup here, too."""
        if self.bucket is not None:
            self.bucket.fetch_parts(folder, found)

    def forget(self, folder: Path, found: Manifest) -> None:
        """Give back the room that the parts of a fetched backup take."""
        if self.bucket is not None:
            for part in found.parts:
                (folder / part.name).unlink(missing_ok=True)


@contextmanager
def backups_in(target: str, endpoint: str) -> Iterator[TargetBackups]:
    """Have the backups of a target within reach; what was fetched of a bucket is removed in the end."""
    bucket = bucket_of(target, endpoint)
    if bucket is None:
        yield TargetBackups(Path(target))
        return
    with tempfile.TemporaryDirectory(prefix="crownkeep-backups-") as place:
        bucket.fetch_manifests(Path(place))
        yield TargetBackups(Path(place), bucket)


def bucket_of(target: str, endpoint: str) -> BackupBucket | None:
    """Return the bucket that a target names, None where it is a directory."""
    if not target.startswith(_BUCKET):
        if endpoint:
            raise WrongCall(f"`--endpoint` belongs to a target `{_BUCKET}BUCKET/PREFIX`")
        return None
    from crownkeep.backups.s3 import BackupBucket

    return BackupBucket(target, endpoint)


def chosen(backups: TargetBackups, target: str, backup_id: str | None, keys: list[VerifierKey]) -> tuple[Path, Manifest]:
    """Return a backup that is sound and whole here, the newest of those that are meant; raises ClickException."""
    from crownkeep.backups import targets
    from crownkeep.backups.manifest import UnsoundManifest

    # Oldest first, by names that begin with their moment: the last one is the newest that is meant.
    folders = [each for each in backups.folders() if backup_id is None or each.name.endswith(f"-{backup_id}")]
    if not folders:
        raise click.ClickException(f"there is no such backup in `{target}`")
    try:
        manifest, _ = targets.read_manifest(folders[-1], keys)
    except UnsoundManifest as error:
        raise click.ClickException(f"`{folders[-1].name}`: {error}; choose another with `--id`") from error
    backups.complete(folders[-1], manifest)
    faults = targets.faults(folders[-1], manifest)
    if faults:
        raise click.ClickException(f"`{folders[-1].name}` is not sound: {faults[0]}; choose another with `--id`")
    return folders[-1], manifest


@dataclass(frozen=True, slots=True)
class Opening:
    """The files of keys that a command was given."""

    key_file: Path | None
    passphrase_file: Path | None
    identity: Path | None
    share: tuple[Path, ...]
    signers: list[VerifierKey]
    """The keys of which one must have signed the backup; none where whatever it names itself is believed."""

    def __post_init__(self) -> None:
        """Refuse what can't open a backup; raises WrongCall."""
        if self.identity is not None and self.share:
            raise WrongCall("give `--identity` or `--share`, not both: enough shares are the identity")
        if self.key_file is not None or self.passphrase_file is not None:
            return
        if self.identity is None and not self.share:
            raise WrongCall("give `--sealing-key`, or what opens the sealing key where it is inside the backup")
        if not self.signers:
            # Anybody can wrap a sealing key of their own for a recipient: only the signature says whose backup this is.
            raise WrongCall("without the sealing key's own file, name the key that signed the backup with `--key`")

    def keys(self, manifest: Manifest) -> BackupKeys:
        """Return what opens a backup; raises WrongCall, BackupFault and UnusableRecipient."""
        from crownkeep.backups import restoring
        from crownkeep.credentials.sealing import MalformedKeyFile

        try:
            return restoring.keys_of(
                manifest,
                key_file=None if self.key_file is None else read(self.key_file).encode(),
                passphrase=None if self.passphrase_file is None else passphrase_in(self.passphrase_file),
                identity=self._identity(),
            )
        except MalformedKeyFile as error:
            raise WrongCall(f"`{self.key_file}` is no file of sealing keys: {output.printable(str(error))}") from error

    def _identity(self) -> Secret | None:
        if self.identity is not None:
            return secret_in(self.identity)
        return identity_of(self.share).private if self.share else None


def signers(texts: tuple[str, ...]) -> list[VerifierKey]:
    """Return the keys that `--key` names; raises WrongCall."""
    from crownkeep.audit import notes
    from crownkeep.audit.notes import MalformedNote

    try:
        return [notes.read_key(each) for each in texts]
    except MalformedNote as error:
        raise WrongCall(f"`--key`: {error}") from error


def identity_of(files: Sequence[Path]) -> Identity:
    """Return the identity that the shares in these files make; raises WrongCall and BackupFault."""
    from crownkeep.backups import shares
    from crownkeep.backups.faults import BackupFault
    from crownkeep.credentials import recipients

    found = []
    for file in files:
        try:
            found.append(shares.read(read(file)))
        except BackupFault as error:
            raise WrongCall(f"`{file}`: {error}") from error
    return recipients.from_secret(shares.combine(found))


def passphrase_in(file: Path) -> Secret:
    """Return the first line of a file."""
    from crownkeep.credentials.secret import Secret

    return Secret(read(file).partition("\n")[0].rstrip("\r"))


def secret_in(file: Path) -> Secret:
    """Return what a file holds, as a secret."""
    from crownkeep.credentials.secret import Secret

    return Secret(read(file))


def read(file: Path) -> str:
    """Return the text of a small file; raises WrongCall where there is none."""
    try:
        with file.open("rb") as opened:
            # Bounded, for a path may name a device, or a database, by mistake.
            return opened.read(_LARGEST_FILE).decode()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise WrongCall(f"`{file}` can't be read: {said}") from error
