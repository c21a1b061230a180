"""Where the PIN of a token is: in a file that somebody hands in, or in a variable; never on a command line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from crownkeep.credentials.secret import Secret
from crownkeep.settings import PIN_VARIABLE
from crownkeep.wrapping.faults import UnusableKeyHolder


def find(places: Sequence[Path], *, check: Callable[[Path], None]) -> Secret:
    """Return the PIN in the first file that is there, or in the variable; `check` refuses a file that others can read.

    Raises UnusableKeyHolder where it is nowhere.
    """
    for file in places:
        if file.exists():
            check(file)
            return Secret(file.read_text(encoding="utf-8").strip())
    if found := os.environ.get(PIN_VARIABLE):
        return Secret(found)
    name = places[0].name
    raise UnusableKeyHolder(
        f"the token's PIN is nowhere: put it into `{places[0]}` (mode 0600), the credential `{name}`, or `{PIN_VARIABLE}`"
    )


def handed_in() -> Secret:
    """Return the PIN in the variable; raises UnusableKeyHolder where there is none."""
    if found := os.environ.get(PIN_VARIABLE):
        return Secret(found)
    raise UnusableKeyHolder(f"the token's PIN is nowhere: put it into `{PIN_VARIABLE}`")
