"""Shares of a secret: any `needed` of them bring it back, and fewer say nothing about it.

They are mnemonics of SLIP-0039 with one group and no passphrase: words that can be written on paper, with a checksum that finds
a writing mistake, and whose first words are the same for all shares of one secret. The library is the reference implementation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shamir_mnemonic import generate_mnemonics, shamir
from shamir_mnemonic.share import Share as Mnemonic
from shamir_mnemonic.utils import MnemonicError

from crownkeep.backups.faults import BackupFault
from crownkeep.credentials.secret import Secret

SECRET_BYTES = 32
"""A secret that is split has this length."""
FEWEST_NEEDED, MOST = 2, 16
"""How many shares may be needed at least, and how many there may be (SLIP-0039, "Format of the share mnemonic")."""

# The exponent only slows down guesses at a passphrase, and there is none. A share comes from outside: with a larger exponent it
# would keep its reader busy for minutes.
_EXPONENT = 0


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One share that was read: its words' checksum is right."""

    split: int
    """The same for all shares of one secret."""
    number: int
    """Which of the shares it is, from 1."""
    needed: int
    words: Secret


def split(secret: bytes, *, needed: int, shares: int) -> list[KeyShare]:
    """Split a secret of SECRET_BYTES into shares; raises ValueError for numbers that can't be."""
    if len(secret) != SECRET_BYTES or not FEWEST_NEEDED <= needed <= shares <= MOST:
        raise ValueError(f"{needed} of {shares}: between {FEWEST_NEEDED} and all of at most {MOST} shares are needed")
    [mnemonics] = generate_mnemonics(1, [(needed, shares)], secret, iteration_exponent=_EXPONENT)
    return [read(words) for words in mnemonics]


def read(text: str) -> KeyShare:
    """Return a share from its words; raises BackupFault where they are none, or one of them is wrong."""
    words = " ".join(text.split()).lower()
    try:
        found = Mnemonic.from_mnemonic(words)
    except (MnemonicError, ValueError) as error:
        raise BackupFault("these words are no share: one is missing, misspelt or at another place") from error
    shape = found.group_count, found.iteration_exponent, len(found.value)
    if shape != (1, _EXPONENT, SECRET_BYTES) or found.member_threshold < FEWEST_NEEDED:
        raise BackupFault("these words are a share of something else")
    return KeyShare(found.identifier, found.index + 1, found.member_threshold, Secret(words))


def combine(shares: Sequence[KeyShare]) -> bytes:
    """Return the secret; raises BackupFault for too few shares, for those of different secrets, and where one was made up."""
    by_number = {share.number: share for share in shares}
    if len({(share.split, share.needed) for share in shares}) != 1:
        raise BackupFault("the shares are not of one secret: compare their first three words, which are the same for all of one")
    needed = shares[0].needed
    if len(by_number) < needed:
        raise BackupFault(f"{needed} different shares are needed, and {len(by_number)} were given")
    try:
        found: bytes = shamir.combine_mnemonics([share.words.reveal() for share in list(by_number.values())[:needed]])
    except MnemonicError as error:
        raise BackupFault("the shares don't fit together: one of them is not what was handed out") from error
    return found
