"""Lists that the operator imports, read line by line within bounds, whatever the file turns out to be; gzip is read as it is."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from crownkeep.cli.output import printable

_GZIP = b"\x1f\x8b"


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a list by its name, or standard input by `-`, unpacked where it is packed with gzip; raises ClickException."""
    try:
        with _binary(name) as file:
            buffered = io.BufferedReader(file)  # type: ignore[type-var]  # any binary stream that reads will do
            packed = buffered.peek(len(_GZIP)).startswith(_GZIP)
            yield gzip.GzipFile(fileobj=buffered) if packed else buffered  # type: ignore[misc]  # both read bytes
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise click.ClickException(f"`{printable(name)}` is cut off or damaged: get it again") from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise click.ClickException(f"`{printable(name)}` can't be read: {error.strerror}") from error


def lines(file: BinaryIO, *, longest: int) -> Iterator[bytes]:
    """Return the lines of a list; raises ClickException for a line of more bytes than `longest`, and for what is no text."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise click.ClickException(f"line {number} has more than {longest} bytes: this is another kind of file")
        if b"\0" in line:
            raise click.ClickException(f"line {number} is no text: unpack the file first")
        yield line


@contextmanager
def _binary(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with open(name, "rb", buffering=0) as file:
        yield file
