"""Passwords: Argon2id hashes in PHC strings, equal cost for unknown users, and reuse checked by one computation."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crownkeep.credentials import imported_hashes
from crownkeep.credentials.secret import Secret

SALT_SIZE = 16
"""Random bytes of a salt, RFC 9106 section 3.1."""

_DIGEST_SIZE = 32
_PHC = re.compile(
    r"\$argon2id\$v=19\$m=(?P<m>[1-9][0-9]{0,7}),t=(?P<t>[1-9][0-9]{0,3}),p=(?P<p>[1-9][0-9]{0,2})"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,64})\$(?P<digest>[A-Za-z0-9+/]{22,88})"
)


class MalformedHash(ValueError):
    """A stored hash is no Argon2id PHC string; the row was damaged or written by something else."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one Argon2id computation takes: memory in KiB, passes over it, and lanes."""

    memory_kib: int
    passes: int
    lanes: int


DEFAULT_COST = Cost(memory_kib=19 * 1024, passes=2, lanes=1)
"""OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane; about 20 ms of one core."""


@dataclass(frozen=True, slots=True)
class _Hash:
    cost: Cost
    salt: bytes
    digest: bytes


def hash_password(password: Secret, *, salt: bytes, cost: Cost = DEFAULT_COST) -> str:
    """Hash a password into a PHC string (Argon2id, version 19).

    Keep one random salt of SALT_SIZE bytes per identity over all its passwords: it is what lets `is_remembered` test a
    candidate against the whole history with the computation that made this string.
    """
    return _encode(_Hash(cost, salt, _derive(password, salt=salt, cost=cost)))


def verify(password: Secret, stored: str) -> bool:
    """Tell whether a password belongs to a stored hash, in constant time; raises MalformedHash.

    One that came with its person from elsewhere is held against by its own scheme.
    """
    if imported_hashes.is_imported(stored):
        return imported_hashes.verify(password, stored)
    known = _decode(stored)
    return compare_digest(known.digest, _derive(password, salt=known.salt, cost=known.cost))


def verify_absent(password: Secret, *, cost: Cost = DEFAULT_COST) -> bool:
    """Spend what `verify` spends and return False, for names that have no password.

    Without it, the time of the answer would tell an attacker which names exist.
    """
    _derive(password, salt=bytes(SALT_SIZE), cost=cost)
    return False


def is_remembered(password: Secret, candidate: str, history: Iterable[str]) -> bool:
    """Tell whether `password`, just hashed to `candidate`, is among the remembered hashes.

    Hashes made with the candidate's salt and cost are compared without computing anything. Only hashes from before a
    change of cost (or of salt) are computed again, once per distinct pair. Raises MalformedHash.
    """
    new = _decode(candidate)
    digests = {(new.salt, new.cost): new.digest}
    found = False
    # All of them, and no early end: the time must not tell which of the old passwords it was.
    # At most as many computations as there are distinct salts and costs: usually one, whatever the history's length.
    for stored in history:
        old = _decode(stored)
        key = (old.salt, old.cost)
        if key not in digests:
            digests[key] = _derive(password, salt=old.salt, cost=old.cost)
        found |= compare_digest(old.digest, digests[key])
    return found


def needs_rehash(stored: str, cost: Cost) -> bool:
    """Tell whether a hash is cheaper to guess at than one of today's parameters; raises MalformedHash.

    A dearer one stays as it is: two nodes whose settings differ would hash every password back and forth, and a cost that was
    lowered by mistake would weaken all hashes at once. One that was imported is hashed anew whatever it cost.
    """
    if imported_hashes.is_imported(stored):
        return True
    old = _decode(stored).cost
    # Compared by memory and passes together, as an attacker pays for both.
    return old != cost and (old.memory_kib * old.passes, old.memory_kib) < (cost.memory_kib * cost.passes, cost.memory_kib)


def salt_of(stored: str) -> bytes:
    """Read the salt of a stored hash, to hash the identity's next password with it; raises MalformedHash."""
    return _decode(stored).salt


def _derive(password: Secret, *, salt: bytes, cost: Cost) -> bytes:
    # NFC: the same typed password arrives composed from one keyboard and decomposed from another (RFC 8265, 4.2).
    typed = unicodedata.normalize("NFC", password.reveal()).encode()
    kdf = Argon2id(salt=salt, length=_DIGEST_SIZE, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(typed)


def _encode(value: _Hash) -> str:
    cost = value.cost
    parameters = f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
    return f"$argon2id$v=19${parameters}${_base64(value.salt)}${_base64(value.digest)}"


def _decode(stored: str) -> _Hash:
    match = _PHC.fullmatch(stored)
    if not match:
        raise MalformedHash("not an Argon2id PHC string")
    try:
        salt, digest = _unbase64(match["salt"]), _unbase64(match["digest"])
    except binascii.Error as error:
        raise MalformedHash("not an Argon2id PHC string") from error
    if len(digest) != _DIGEST_SIZE:
        raise MalformedHash(f"an Argon2id digest of {len(digest)} bytes instead of {_DIGEST_SIZE}")
    cost = Cost(int(match["m"]), int(match["t"]), int(match["p"]))
    # Argon2 needs that much (RFC 9106, 3.1). A damaged row must not reach the library, which would raise something else.
    if cost.memory_kib < 8 * cost.lanes:
        raise MalformedHash("an Argon2id hash of less memory than there can be")
    return _Hash(cost, salt, digest)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
