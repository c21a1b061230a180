"""`crownkeep passwords`: the operator imports a list of passwords that are known from breaches; none of them is taken then."""

from __future__ import annotations

import heapq
import itertools
import sys
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import click

from crownkeep.cli import house, lists, output
from crownkeep.credentials import breached
from crownkeep.credentials.breached import BreachListKind, MalformedList

_FORMATS = {"sha1": BreachListKind.SHA1, "ntlm": BreachListKind.NTLM, "plain": None}
_RUN = 1_000_000
_MOST_RUNS = 500
_REPORTED_EVERY = 5_000_000


@click.group("passwords", short_help="Import breached passwords.")
def command() -> None:
    """Import breached passwords."""


@command.command("import-breached", short_help="Import a list of breached passwords.")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@click.option("--format", "spelled", type=click.Choice(list(_FORMATS)), help="The format of a line; recognised unless given.")
@click.option("--at-least", type=click.IntRange(1), default=1, metavar="N", help="Skip passwords seen fewer than N times.")
@house.options
@output.json_flag()
def import_breached(file: str, spelled: str | None, at_least: int, data: str | None, database: str | None, as_json: bool) -> None:
    """Import a list of breached passwords. It replaces the previous list at once, also on running servers.

    FILE is a list of Have I Been Pwned (`SHA1:COUNT` or `NTLM:COUNT`, in order of the hash) or has one password a line; `-` is
    standard input. Packed with gzip it is read as well. Nothing of it is printed, and only parts of hashes are kept.
    """
    from crownkeep import data_directory
    from crownkeep.signin.password_rules import BREACHED_FILE

    with house.opened(data, database) as held, lists.opened(file) as source:
        folder = held.directory.path
        with data_directory.staging(folder, BREACHED_FILE) as target:
            try:
                _write(target, _reported(lists.lines(source, longest=breached.LONGEST_LINE)), spelled, at_least, folder)
            except MalformedList as error:
                raise click.ClickException(f"`{output.printable(file)}` can't be imported: {error}") from error
            target.flush()
            answer = held.ask("InstallBreachedPasswords")
    if as_json:
        output.print_json(answer)
    else:
        click.echo(f"{output.counted(answer['entries'], 'breached password')} will be refused from now on.")


def _write(target: IO[bytes], lines: Iterator[bytes], spelled: str | None, at_least: int, folder: Path) -> None:
    """Write an index over a list; raises MalformedList."""
    first = next(lines, b"")
    kind = _FORMATS[spelled] if spelled else breached.kind_of(first.removeprefix(b"\xef\xbb\xbf"))
    every = itertools.chain((first.removeprefix(b"\xef\xbb\xbf"),), lines)
    chunks = breached.entries(every, kind=kind, at_least=at_least) if kind else _sorted(breached.plain_entries(every), folder)
    # The header says how many there are, which is known at the end: its place is kept free until then.
    target.write(bytes(breached.HEADER_SIZE))
    for chunk in chunks:
        target.write(chunk)
    count = (target.tell() - breached.HEADER_SIZE) // breached.ENTRY
    if not count:
        raise MalformedList("it holds no password")
    target.seek(0)
    target.write(breached.header(count, kind=kind or BreachListKind.SHA1))


def _sorted(entries: Iterable[bytes], folder: Path) -> Iterator[bytes]:
    """Return entries in order and each once: sorted in parts that fit into memory, which are kept in files and then merged."""
    runs: list[IO[bytes]] = []
    found = iter(entries)
    with ExitStack() as opened:
        while run := sorted({int.from_bytes(entry, "big") for entry in itertools.islice(found, _RUN)}):
            if len(runs) == _MOST_RUNS:
                raise MalformedList(f"it has more than {_MOST_RUNS * _RUN} lines: import a list of hashes in order")
            runs.append(opened.enter_context(TemporaryFile(dir=folder)))
            array("Q", run).tofile(runs[-1])
            runs[-1].seek(0)
        last = -1
        for value in heapq.merge(*map(_values, runs)):
            if value != last:
                yield value.to_bytes(breached.ENTRY, "big")
                last = value


def _values(run: IO[bytes]) -> Iterator[int]:
    while piece := run.read(64 * 1024):
        values = array("Q")
        values.frombytes(piece)
        yield from values


def _reported(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Say now and then on a terminal how far the reading has come: a list of a billion takes half an hour."""
    for number, line in enumerate(lines, start=1):
        if not number % _REPORTED_EVERY and sys.stderr.isatty():
            click.echo(f"{number // 1_000_000} million lines were read", err=True)
        yield line
