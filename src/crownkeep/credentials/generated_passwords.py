"""Generated passwords: strong under any policy, and letters that nobody takes for one another when they are read out."""

from __future__ import annotations

LENGTH = 24
"""Characters, where a policy doesn't ask for more: about 140 bits."""

CHANCE = 192
"""Random bytes that `generate` needs: enough for the longest password that IAM takes, 128 characters."""

_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_LOWER = "abcdefghijkmnopqrstuvwxyz"
_DIGITS = "23456789"
# No quotation marks, commas or backslashes: the password goes through CSV files and shells.
_SYMBOLS = "!#%*+-=_?@"
# `?` is no symbol to IAM (UpdateAccountPasswordPolicy, RequireSymbols), so the one that is owed comes from the rest.
_OWED = "!#%*+-=_@"
_ALL = _UPPER + _LOWER + _DIGITS + _SYMBOLS


def generate(chance: bytes, *, length: int = LENGTH) -> str:
    """Return a password of `length` characters (8 to 128) with all four classes, the first a letter; `chance` is CHANCE bytes."""
    number = int.from_bytes(chance, "big")

    def draw(letters: str) -> str:
        nonlocal number
        number, index = divmod(number, len(letters))
        return letters[index]

    # A formula begins with a symbol: a spreadsheet must not take a password for one.
    first = draw(_UPPER)
    rest = [draw(_LOWER), draw(_DIGITS), draw(_OWED), *(draw(_ALL) for _ in range(length - 4))]
    for index in range(len(rest) - 1, 0, -1):
        number, other = divmod(number, index + 1)
        rest[index], rest[other] = rest[other], rest[index]
    return first + "".join(rest)
