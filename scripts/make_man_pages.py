"""Write manual pages of all commands into a directory, from the commands' own help.

.venv/bin/python -m scripts.make_man_pages /usr/local/share/man/man1
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from crownkeep.cli.main import main as crownkeep


def main() -> int:
    """Write the pages and say how many there are."""
    if len(sys.argv) != 2:
        print("name the directory to write them into", file=sys.stderr)
        return 2
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    found = dict(pages(crownkeep, "crownkeep"))
    for name, text in found.items():
        (place / f"{name}.1").write_text(text)
    print(f"{len(found)} pages in {place}")
    return 0


def pages(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """Yield the pages of a command and of those below it, each with its name, such as `crownkeep-backup-create`."""
    context = click.Context(command, info_name=path)
    below = []
    if isinstance(command, click.Group):
        inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        below = [(f"{path} {name}", each) for name, each in inner if each is not None]
    yield path.replace(" ", "-"), _page(command, context, path, [name for name, _ in below])
    for name, each in below:
        yield from pages(each, name)


def _page(command: click.Command, context: click.Context, path: str, below: list[str]) -> str:
    name = path.replace(" ", "-")
    usage = " ".join(command.collect_usage_pieces(context))
    options = [each for each in (parameter.get_help_record(context) for parameter in command.get_params(context)) if each]
    lines = [
        f'.TH "{name.upper()}" "1" "" "crownkeep {version("crownkeep")}" "Crownkeep"',
        ".SH NAME",
        _escaped(f"{name} - {command.get_short_help_str(200)}"),
        ".SH SYNOPSIS",
        f".B {_escaped(path)}",
        _escaped(usage),
        ".SH DESCRIPTION",
        *(_escaped(line.strip()) or ".PP" for line in (command.help or "").splitlines()),
    ]
    if options:
        lines += [".SH OPTIONS"]
        lines += [line for shown, text in options for line in (".TP", f".B {_escaped(shown)}", _escaped(text) or ".")]
    if below:
        lines += [".SH SEE ALSO", ", ".join(f"{_escaped(each.replace(' ', '-'))}(1)" for each in below)]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return a text that troff shows as it stands."""
    shown = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


if __name__ == "__main__":
    raise SystemExit(main())
