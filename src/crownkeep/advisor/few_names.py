"""Names in sentences: a few of them, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.translation import gettext

MOST = 3
"""Names that a sentence holds."""


def named(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are."""
    shown, more = list(names[:MOST]), len(names) - MOST
    if more > 0:
        shown.append(gettext("%(more)s more", more=more))
    if len(shown) == 1:
        return shown[0]
    return gettext("%(earlier)s and %(last)s", earlier=", ".join(shown[:-1]), last=shown[-1])
