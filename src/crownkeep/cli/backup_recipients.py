"""`crownkeep backup new-recipient`: the key pair that backups are made for, its private half whole or in shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crownkeep.cli import output
from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.credentials.recipients import Identity


@click.command("new-recipient", short_help="Make a recipient for backups, whole or in shares.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--shares", type=int, metavar="N", help="Split the identity into so many shares, and keep it nowhere.")
@click.option("--needed", type=int, metavar="K", help="How many of the shares bring the identity back.")
@output.json_flag()
def command(file: Path, shares: int | None, needed: int | None, as_json: bool) -> None:
    """Make an identity in FILE, and its public half in FILE.pub, for `create --recipient` and `--sealing-key-for`.

    Keep the identity away from the machine that makes backups: it needs the public half alone. With `--shares` and `--needed`
    there is no FILE: FILE.share-1 and so on hold words that are handed to as many people, and K of them open what was made.
    """
    public = file.with_name(f"{file.name}.pub")
    made, private = _whole(file) if shares is None and needed is None else _split(file, shares, needed)
    _write({public: made.public, **private})
    if as_json:
        kept = {"identity": str(file)} if file in private else {"shares": [str(each) for each in private]}
        output.print_json({"recipient": str(public), **kept})
    elif file in private:
        click.echo(f"{file} opens the backups that are made for {public}: keep it elsewhere.")
    else:
        click.echo(f"Any {needed} of these open what is made for {public}:")
        for each in private:
            click.echo(f"  {each}")
        click.echo("Hand each to another person, try that they come together, and delete the files.")


def _whole(file: Path) -> tuple[Identity, dict[Path, str]]:
    from crownkeep import clock
    from crownkeep.credentials import recipients

    made = recipients.mint(clock.token_bytes(recipients.ENTROPY))
    return made, {file: made.private.reveal()}


def _split(file: Path, shares: int | None, needed: int | None) -> tuple[Identity, dict[Path, str]]:
    from crownkeep import clock
    from crownkeep.backups import shares as splitting
    from crownkeep.credentials import recipients

    if shares is None or needed is None:
        raise WrongCall("`--shares` and `--needed` belong together")
    # Never written whole: the identity is derived from it in memory, and only its shares are kept.
    secret = clock.token_bytes(splitting.SECRET_BYTES)
    try:
        parts = splitting.split(secret, needed=needed, shares=shares)
    except ValueError as error:
        raise WrongCall(str(error)) from error
    files = {file.with_name(f"{file.name}.share-{each.number}"): f"{each.words.reveal()}\n" for each in parts}
    return recipients.from_secret(secret), files


def _write(files: dict[Path, str]) -> None:
    """Write all of them or none; raises ClickException where one is there already."""
    from crownkeep import durable_files

    written: list[Path] = []
    try:
        for path, text in files.items():
            durable_files.write_new(path, text.encode())
            written.append(path)
    except OSError as error:
        # All or none: a part of the shares looks like a set, and opens nothing.
        for path in written:
            path.unlink()
        said = "is there already, and nothing is written over" if isinstance(error, FileExistsError) else error.strerror
        raise click.ClickException(f"`{error.filename}`: {said}") from error
