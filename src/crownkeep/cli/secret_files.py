"""Files that hold one secret, for commands: in an argument everybody on the machine could read it."""

from __future__ import annotations

from pathlib import Path

import click


def line(file: Path, what: str) -> str:
    """Return the first line of a file that holds a secret; raises UsageError, which says `what` belongs into it."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"`{file}` can't be read: put {what} into it, as one line") from error
    if not lines or not lines[0].strip():
        raise click.UsageError(f"`{file}` holds no secret: put {what} into it, as one line")
    return lines[0].strip()
