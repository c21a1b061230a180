"""Policy documents as quotas measure them."""

from __future__ import annotations

_WITHOUT_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


def size(document: str) -> int:
    """Return how many characters a document has in the eyes of the quotas, which don't count white space."""
    return len(document.translate(_WITHOUT_WHITE_SPACE))
