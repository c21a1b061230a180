"""Access keys: ids that carry their account as AWS's do, and secrets in AWS's alphabet."""

import base64
import re
from enum import StrEnum
from functools import lru_cache

from crownkeep.credentials.secret import Secret

ID_ENTROPY = 5
"""Random bytes `mint` needs; 39 of their 40 bits are used."""

SECRET_ENTROPY = 30
"""Random bytes `mint_secret` needs, for 40 characters."""

_ACCOUNT_SHIFT = 7
_ACCOUNT_MASK = 0x7FFF_FFFF_FF80
# Ids that AWS minted before March 2019 start with I or J after the prefix and carry no account; the ids since then have
# the top bit set (Q to 7), and published decoders refuse the others.
_MODERN_BIT = 1 << 47
_MODERN_ID = re.compile(r"(?:AKIA|ASIA)[Q-Z2-7][A-Z2-7]{15}")
# Base 32 (RFC 4648) by ten bits at a time, and back by way of Python's own digits: the library's takes five times as long.
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")


class KeyPrefix(StrEnum):
    """The kinds of access key that sign requests (IAM identifiers, AWS's table of unique id prefixes)."""

    LONG_TERM = "AKIA"
    TEMPORARY = "ASIA"


def mint(prefix: KeyPrefix, account_id: str, random: bytes) -> str:
    """Make an access key id of 20 characters from which `account_of`, and everybody's decoder, reads the account.

    `random` is ID_ENTROPY bytes. 39 bits separate the keys of one account, so two can meet: the caller inserts under a
    unique constraint and mints again. Raises ValueError for a malformed account id or too few random bytes.
    """
    if len(account_id) != 12 or not (account_id.isascii() and account_id.isdigit()):
        raise ValueError(f"`{account_id}` is not an account id: give 12 digits")
    if len(random) != ID_ENTROPY:
        raise ValueError(f"`mint` needs {ID_ENTROPY} random bytes, got {len(random)}")
    head = _MODERN_BIT | int(account_id) << _ACCOUNT_SHIFT | random[0] & 0x7F
    bits = head << 32 | int.from_bytes(random[1:], "big")
    return prefix.value + "".join([_PAIRS[bits >> shift & 1023] for shift in (70, 60, 50, 40, 30, 20, 10, 0)])


def mint_secret(random: bytes) -> Secret:
    """Make a secret access key: 40 characters of A-Z, a-z, 0-9, + and / from SECRET_ENTROPY random bytes."""
    if len(random) != SECRET_ENTROPY:
        raise ValueError(f"`mint_secret` needs {SECRET_ENTROPY} random bytes, got {len(random)}")
    return Secret(base64.b64encode(random).decode())


@lru_cache(maxsize=8192)
def account_of(key_id: str) -> str | None:
    """Read the account id out of an access key id, or None when the id is malformed or older than the encoding."""
    if not _MODERN_ID.fullmatch(key_id):
        return None
    # The first 48 bits, of ten characters.
    head = int(key_id[4:14].translate(_DIGITS), 32) >> 2
    number = (head & _ACCOUNT_MASK) >> _ACCOUNT_SHIFT
    return f"{number:012}" if number < 10**12 else None


def prefix_of(key_id: str) -> KeyPrefix | None:
    """Tell a long-term key id from a temporary one, or None when it is neither."""
    match key_id[:4]:
        case "AKIA":
            return KeyPrefix.LONG_TERM
        case "ASIA":
            return KeyPrefix.TEMPORARY
        case _:
            return None
