"""What commands print: JSON for machines, tables for people, and nothing that could drive a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def json_flag(help_text: str = "Print JSON.") -> Callable[[Function], Function]:
    """Make the option `--json`, which comes as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def print_json(value: Mapping[str, object]) -> None:
    """Print one JSON object; times are UTC to the second."""
    text = json.dumps(value, indent=2, default=_plain, ensure_ascii=False)
    click.echo("\n".join(_visible(line) for line in text.split("\n")))


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names with their values beneath one another."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"  {name:<{width}}   {printable(value)}")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn to fit a terminal, in plain columns that cut nothing off for anything else."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headings, cells)
        return
    widths = [max(len(row[index]) for row in [headings, *cells]) for index in range(len(headings))]
    for row in [headings, *cells]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _visible(line: str) -> str:
    """Return a line of JSON that says the same and drives no terminal: what is no visible character is an escape.

    Controls of both kinds (CSI is U+009B), marks that turn the direction of text, and surrogates, which UTF-8 can't say.
    """
    if line.isprintable():
        return line
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in line)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where that is due: `1 token`, `2 tokens`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Return a text in which everything that is no visible character is a question mark.

    What strangers send stands in the trail: an escape sequence in a user agent must not reach the reader's terminal.
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def _draw(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    raise TypeError(f"`{type(value).__name__}` has no place in JSON")
