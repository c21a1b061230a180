"""Where `crownkeep trail` reads from when it verifies: a database as it lies there, and whose keys are trusted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from crownkeep.cli.failures import WrongCall

if TYPE_CHECKING:
    from crownkeep.audit.notes import Note
    from crownkeep.audit.tlog_policy import Policy
    from crownkeep.storage.database import Database

Function = TypeVar("Function", bound=Callable[..., object])


def trust_options(command: Function) -> Function:
    """Give a command the options that say whom it trusts; they come as `policy` and `key`."""
    policy = click.option(
        "--policy",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Whom to trust, and which witnesses: a tlog-policy file.",
    )
    key = click.option("--key", metavar="VKEY", multiple=True, help="A key of the log that you trust; may be repeated.")
    return policy(key(command))


@contextmanager
def offline(data: str | None, database: str | None) -> Iterator[Database]:
    """Open a database as it lies there: nothing is made, changed or brought up to date, and no secret is needed."""
    from crownkeep import settings as configuration
    from crownkeep.storage import migrate
    from crownkeep.storage.database import Database
    from crownkeep.storage.trail import sealed_files

    settings = configuration.load({"data": data, "database": database})
    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///").partition("?")[0]).is_file():
        raise WrongCall(f"there is no database at `{url.removeprefix('sqlite:///')}`; name another with `--data`")
    opened = Database(url)
    sealed_files.keep_in(opened, settings.sealed_directory)
    try:
        if not migrate.serves(opened):
            raise WrongCall("the database is of an older version: start the server once, which brings it up to date")
        yield opened
    finally:
        opened.close()


def trusted(policy: Path | None, keys: Sequence[str]) -> Policy | None:
    """Read whom to trust, None where nothing was named."""
    from crownkeep.audit import notes, tlog_policy
    from crownkeep.audit.notes import MalformedNote
    from crownkeep.audit.tlog_policy import MalformedTlogPolicy

    if policy is not None and keys:
        raise WrongCall("`--policy` names the keys: leave `--key` out")
    try:
        if policy is not None:
            return tlog_policy.read(_content(policy))
        return tlog_policy.trusting([notes.read_key(key) for key in keys]) if keys else None
    except MalformedTlogPolicy as error:
        raise WrongCall(f"`{policy}` is no policy: {error}") from error
    except MalformedNote as error:
        raise WrongCall(f"`--key`: {error}") from error


def kept_checkpoints(files: Sequence[Path]) -> list[Note]:
    """Read checkpoints that were kept."""
    from crownkeep.audit import checkpoints, notes
    from crownkeep.audit.notes import MalformedNote

    found = []
    for file in files:
        try:
            found.append(notes.read(_content(file)))
            checkpoints.read(found[-1])
        except MalformedNote as error:
            raise WrongCall(f"`{file}` is no checkpoint: {error}") from error
    return found


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise WrongCall(f"`{file}` can't be read: {error.strerror}") from error


@contextmanager
def progress_bar(total: int, *, is_quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how far a verification is, on a terminal alone; what it yields is told the index that was reached."""
    if is_quiet or not sys.stderr.isatty() or not total:
        yield lambda _: None
        return
    with click.progressbar(length=total, label="verifying", file=sys.stderr) as bar:
        reached = 0

        def show(index: int) -> None:
            nonlocal reached
            bar.update(index - reached)
            reached = index

        yield show
