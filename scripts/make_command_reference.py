"""Write docs/reference/commands.md from the commands themselves.

    .venv/bin/python scripts/make_command_reference.py

What stands before the first command is written by hand, here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from crownkeep.cli.main import main as crownkeep

REFERENCE = Path(__file__).parent.parent / "docs/reference/commands.md"

_OPENING = """\
# Commands

`crownkeep` is one command with one subcommand for each task. All of them take their settings from flags, then `CROWNKEEP_*`
variables, then `crownkeep.toml` of the data directory or `/etc/crownkeep` ([settings](settings.md)), and work while a server runs
on the same data, or without one.

- Exit codes: 0 when all is well, 1 when what was checked or asked for is not, 2 when the command was called wrongly.
  `crownkeep audit` ends with 0 whatever it finds, unless `--fail-on` says otherwise.
- What fails says so in one sentence on standard error, and what to do; there are no stack traces.
- `--json` prints one JSON object on standard output and nothing else.
- Secrets are printed only where they were asked for, and are never taken as arguments.

This page is written by `scripts/make_command_reference.py` from the commands' own help.
"""


def main() -> int:
    """Write the page and say where."""
    REFERENCE.write_text(page())
    print(REFERENCE)
    return 0


def page() -> str:
    """Return the page's text."""
    return "\n".join([_OPENING, *_sections(crownkeep, "crownkeep")])


def _sections(command: click.Command, path: str) -> Iterator[str]:
    yield _section(command, path)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _sections(inner, f"{path} {name}")


def _section(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    arguments = " ".join(each.make_metavar(context) for each in command.params if isinstance(each, click.Argument))
    help_text = "\n".join(line.strip() for line in (command.help or "").strip().splitlines())
    lines = [f"## `{' '.join((path, arguments)).strip()}`", "", help_text, ""]
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        lines += ["| option | meaning |", "| --- | --- |", *(_row(each, context) for each in options), ""]
    return "\n".join(lines)


def _row(option: click.Option, context: click.Context) -> str:
    names, meaning = option.get_help_record(context) or (", ".join(option.opts), "")
    escaped = meaning.replace("|", "\\|")
    return f"| `{names}` | {escaped} |"


if __name__ == "__main__":
    sys.exit(main())
