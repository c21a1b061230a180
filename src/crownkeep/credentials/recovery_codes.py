"""Recovery codes: minted once, stored hashed, spent once."""

from collections.abc import Iterable
from hmac import compare_digest, digest

from crownkeep.credentials.secret import Secret

COUNT = 10
"""Codes of one set."""

CODE_ENTROPY = 10
"""Random bytes of one code; `mint` takes COUNT times as many."""

SALT_SIZE = 16

# Crockford's base32: no I, L, O or U, so that nothing is misread from paper.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LENGTH = 16


class InvalidRecoveryCode(ValueError):
    """The code is wrong or was spent."""


def mint(random: bytes) -> tuple[Secret, ...]:
    """Make a set of codes such as `7K2M-Q0XD-93TZ-AH5C`, 80 bits each, from COUNT * CODE_ENTROPY random bytes."""
    if len(random) != COUNT * CODE_ENTROPY:
        raise ValueError(f"`mint` needs {COUNT * CODE_ENTROPY} random bytes, got {len(random)}")
    parts = (random[start : start + CODE_ENTROPY] for start in range(0, len(random), CODE_ENTROPY))
    return tuple(Secret(spell(int.from_bytes(part, "big"), length=_LENGTH)) for part in parts)


def hash_code(code: Secret, *, salt: bytes) -> bytes:
    """Hash a code for storage: HMAC-SHA-256 under the set's own random salt of SALT_SIZE bytes.

    Argon2 would buy nothing: it makes up for passwords that can be guessed, and 80 random bits cannot be, at any speed.
    It would cost ten computations for each try, or a place in the table that tells which code was used.
    """
    return digest(salt, canonical(code.reveal()).encode(), "sha256")


def spend(code: Secret, unspent: Iterable[bytes], *, salt: bytes) -> bytes:
    """Return the stored hash of a code, for the caller to delete in the same transaction; raises InvalidRecoveryCode.

    All hashes are compared, so the time of the answer tells nothing about them.
    """
    hashed = hash_code(code, salt=salt)
    matching = [stored for stored in unspent if compare_digest(stored, hashed)]
    if not matching or len(canonical(code.reveal())) != _LENGTH:
        raise InvalidRecoveryCode("the recovery code is wrong or was used before")
    return matching[0]


def spell(number: int, *, length: int) -> str:
    """Spell a number in so many characters of Crockford's base32, four by four: five bits each, nothing misread from paper."""
    characters = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length))]
    return "-".join("".join(characters[start : start + 4]) for start in range(0, length, 4))


def canonical(typed: str) -> str:
    """Return what somebody meant to type: upper case, no dashes and spaces, and no letters that look like digits."""
    return "".join(character for character in typed.upper().translate(_MISREAD) if character in _ALPHABET)
