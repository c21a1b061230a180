"""Hashes of passwords that came with people from another directory: which are taken, and how a password is held against one.

They are kept in one spelling, with a mark before them that no hash of ours has, until their person signs in: then the password
is hashed anew. A hash that is too cheap would be guessed at by whoever gets the database; one that is too dear would let a file
decide how long this server computes for each attempt.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable
from hmac import compare_digest

import bcrypt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2i, Argon2id
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crownkeep.credentials.secret import Secret

MARK = "imported:"
LONGEST = 512
"""Characters of a hash as it is given; none of the schemes needs more."""

_LONGEST_KEPT = 256
_LONGEST_SALT = 64
_DIGEST_SIZES = range(16, 65)
_BCRYPT_BYTES = 72
"""Of a longer password bcrypt has only ever taken this many bytes."""

_COSTS = {
    "bcrypt": range(10, 15),
    "sha256": range(10_000, 2_000_001),
    "sha512": range(10_000, 2_000_001),
}
# Kibibytes, and kibibytes over all passes: from what OWASP's Password Storage Cheat Sheet and RFC 9106 still call sound up to
# about half a second of one core.
_MEMORY = range(4 * 1024, 256 * 1024 + 1)
_WORK = range(12 * 1024, 1024 * 1024 + 1)
_PBKDF2 = {"sha256": hashes.SHA256, "sha512": hashes.SHA512}

_UNSOUND = (
    (re.compile(r"\{(?:S?SHA|S?SHA1)\}|\$(?:sha1|dynamic)", re.I), "SHA-1"),
    (re.compile(r"\{S?SHA(?:224|256|384|512)\}", re.I), "SHA-2 computed once"),
    (re.compile(r"\{S?MD5\}|\$1\$|\$apr1\$|\{CRYPT\}\$1\$|md5\$", re.I), "MD5"),
    (re.compile(r"\$2x\$|\{CRYPT\}\$2x\$", re.I), "bcrypt with a known fault ($2x$)"),
    (re.compile(r"(?:\{CRYPT\})?\$(?:5|6|gy|y|7|3|md5)\$?", re.I), "crypt(3)"),
    (re.compile(r"\{CRYPT\}|\{(?:LANMAN|NT|NTLM|SASL|SMD4)\}", re.I), "crypt(3) or a scheme like it"),
    (re.compile(r"\{PBKDF2(?:-SHA1)?\}|\$pbkdf2\$|pbkdf2_sha1\$|pbkdf2:sha1", re.I), "PBKDF2 over SHA-1"),
    (re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}", re.I), "a digest without a salt"),
    (re.compile(r"\{CLEAR(?:TEXT)?\}", re.I), "no hash at all"),
)


class UnsoundHash(ValueError):
    """A hash is of no scheme that is taken, or costs too little or too much; its text says why, and nothing of the hash."""


def is_imported(stored: str) -> bool:
    """Tell whether a kept hash came with its person from elsewhere."""
    return stored.startswith(MARK)


def read(text: str) -> str:
    """Return a hash as it is to be kept; raises UnsoundHash.

    Taken are bcrypt, scrypt, PBKDF2 (SHA-256 and SHA-512) and Argon2 (id and i) as PHC strings, and as passlib, Django, Werkzeug
    and OpenLDAP write them.
    """
    given = text.strip()
    if not given or len(given) > LONGEST or not given.isascii():
        raise UnsoundHash("the password hash can't be read")
    # What is taken comes first, so that a scheme which is sound is never called unsound by a looser pattern.
    for pattern, reader in _READERS:
        match = pattern.fullmatch(given)
        if match is not None:
            kept = MARK + reader(match)
            if len(kept) > _LONGEST_KEPT:
                raise UnsoundHash("the password hash is longer than any that is taken")
            return kept
    for pattern, name in _UNSOUND:
        if pattern.match(given) and (name != "a digest without a salt" or pattern.fullmatch(given)):
            raise UnsoundHash(f"the password hash is {name}, which is not sound")
    raise UnsoundHash("the password hash is of no scheme that is taken: bcrypt, scrypt, PBKDF2 and Argon2 are")


def verify(password: Secret, stored: str) -> bool:
    """Tell whether a password belongs to a kept hash; raises ValueError for one that `read` did not return."""
    scheme, *parts = stored.removeprefix(MARK).lstrip("$").split("$")
    typed = unicodedata.normalize("NFC", password.reveal()).encode()
    match scheme:
        case "2b":
            # bcrypt ends at a NUL in most libraries, and not in this one: such a password is nobody's.
            # Cut here, as newer libraries raise for longer passwords instead of cutting by themselves.
            return b"\0" not in typed and bcrypt.checkpw(typed[:_BCRYPT_BYTES], f"$2b${'$'.join(parts)}".encode())
        case "pbkdf2":
            algorithm, rounds, salt, digest = parts
            expected = _unbase64(digest)
            kdf = PBKDF2HMAC(_PBKDF2[algorithm](), len(expected), _unbase64(salt), int(rounds))
            return compare_digest(expected, kdf.derive(typed))
        case "scrypt":
            cost, salt, digest = parts
            n, r, p = (int(each) for each in cost.split(","))
            expected = _unbase64(digest)
            return compare_digest(expected, Scrypt(salt=_unbase64(salt), length=len(expected), n=n, r=r, p=p).derive(typed))
        case "argon2id" | "argon2i":
            cost, salt, digest = parts
            memory, passes, lanes = (int(each) for each in cost.split(","))
            expected = _unbase64(digest)
            argon2 = Argon2id if scheme == "argon2id" else Argon2i
            kdf2 = argon2(salt=_unbase64(salt), length=len(expected), iterations=passes, lanes=lanes, memory_cost=memory)
            return compare_digest(expected, kdf2.derive(typed))
        case _:
            raise ValueError("not a hash that was imported")


def _bcrypt(match: re.Match[str]) -> str:
    _require_cost("bcrypt", int(match["cost"]), "a cost")
    return f"$2b${match['cost']}${match['rest']}"


def _pbkdf2(match: re.Match[str]) -> str:
    algorithm = match["algorithm"].lower()
    if algorithm not in _PBKDF2:
        raise UnsoundHash("the password hash is PBKDF2 over SHA-1, which is not sound")
    _require_cost(algorithm, int(match["rounds"]), "rounds")
    salt, digest = _salt_and_digest(match)
    return f"$pbkdf2${algorithm}${int(match['rounds'])}${_base64(salt)}${_base64(digest)}"


def _scrypt(match: re.Match[str]) -> str:
    given = match.groupdict()
    n = 1 << int(given["ln"]) if given.get("ln") else int(given["n"])
    r, p = int(given["r"]), int(given["p"])
    # scrypt's N must be a power of two (RFC 7914, section 2).
    if n & (n - 1) or n < 2:
        raise UnsoundHash("the password hash can't be read")
    # Kibibytes: scrypt takes 128 * N * r bytes.
    memory = n * r * 128 // 1024
    _require_work("scrypt", memory, memory * p)
    salt, digest = _salt_and_digest(match)
    return f"$scrypt${n},{r},{p}${_base64(salt)}${_base64(digest)}"


def _argon2(match: re.Match[str]) -> str:
    cost = dict(each.split("=") for each in match["cost"].split(","))
    memory, passes, lanes = (int(cost[name]) for name in "mtp")
    _require_work("Argon2", memory, memory * passes)
    if memory < 8 * lanes:
        raise UnsoundHash("the password hash can't be read")
    salt, digest = _salt_and_digest(match)
    return f"${match['kind']}${memory},{passes},{lanes}${_base64(salt)}${_base64(digest)}"


def _salt_and_digest(match: re.Match[str]) -> tuple[bytes, bytes]:
    given = match.groupdict()
    salt = given["text_salt"].encode() if given.get("text_salt") else _unbase64(given["salt"])
    digest = bytes.fromhex(given["hex"]) if given.get("hex") else _unbase64(given["digest"])
    if not 8 <= len(salt) <= _LONGEST_SALT or len(digest) not in _DIGEST_SIZES:
        raise UnsoundHash("the password hash has a salt or a digest of a length that is not sound")
    return salt, digest


def _require_cost(scheme: str, given: int, what: str) -> None:
    taken = _COSTS[scheme]
    if given not in taken:
        name = scheme if scheme == "bcrypt" else f"PBKDF2 ({scheme})"
        raise UnsoundHash(f"the password hash is {name} with {what} of {given}: {taken[0]} to {taken[-1]} are taken")


def _require_work(name: str, memory: int, work: int) -> None:
    if memory not in _MEMORY or work not in _WORK:
        raise UnsoundHash(f"the password hash is {name} at a cost that is too low or too high to take")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    # passlib and OpenLDAP write a dot for the plus sign.
    plain = text.rstrip("=").replace(".", "+")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise UnsoundHash("the password hash can't be read") from error


_B64 = r"[A-Za-z0-9+/.]{1,128}={0,2}"
# A salt and a digest in bcrypt's own alphabet, each without bits beyond its last byte.
_BCRYPT_REST = r"[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
_NUMBER = r"[1-9][0-9]{0,8}"
_TEXT_SALT = r"(?P<text_salt>[A-Za-z0-9+/.=_-]{1,64})"
_ARGON2_COST = r"(?P<cost>m=[1-9][0-9]{0,7},t=[1-9][0-9]{0,3},p=[1-9][0-9]{0,1})"
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        # bcrypt: itself, OpenLDAP's and Django's.
        (rf"(?:\{{(?:BCRYPT|CRYPT)\}}|bcrypt\$)?\$2[aby]\$(?P<cost>[0-3][0-9])\$(?P<rest>{_BCRYPT_REST})", _bcrypt),
        # PBKDF2: passlib's and PHC's, OpenLDAP's, Django's, Werkzeug's.
        (rf"\$pbkdf2-(?P<algorithm>sha256|sha512)\$(?:i=)?(?P<rounds>{_NUMBER})\$(?P<salt>{_B64})\$(?P<digest>{_B64})", _pbkdf2),
        (
            rf"\{{PBKDF2-(?P<algorithm>SHA256|SHA512)\}}(?P<rounds>{_NUMBER})\$(?P<salt>{_B64})\$(?P<digest>{_B64})",
            _pbkdf2,
        ),
        (rf"pbkdf2_(?P<algorithm>sha256|sha512)\$(?P<rounds>{_NUMBER})\${_TEXT_SALT}\$(?P<digest>{_B64})", _pbkdf2),
        (
            rf"pbkdf2:(?P<algorithm>sha256|sha512):(?P<rounds>{_NUMBER})\${_TEXT_SALT}\$(?P<hex>(?:[0-9a-f]{{2}}){{16,64}})",
            _pbkdf2,
        ),
        # scrypt: passlib's and PHC's, Django's, Werkzeug's.
        (
            rf"\$scrypt\$ln=(?P<ln>[1-9][0-9]?),r=(?P<r>[1-9][0-9]?),p=(?P<p>[1-9][0-9]?)\$(?P<salt>{_B64})\$(?P<digest>{_B64})",
            _scrypt,
        ),
        (
            rf"scrypt\${_TEXT_SALT}\$(?P<n>{_NUMBER})\$(?P<r>[1-9][0-9]?)\$(?P<p>[1-9][0-9]?)\$(?P<digest>{_B64})",
            _scrypt,
        ),
        (
            rf"scrypt:(?P<n>{_NUMBER}):(?P<r>[1-9][0-9]?):(?P<p>[1-9][0-9]?)\${_TEXT_SALT}\$(?P<hex>(?:[0-9a-f]{{2}}){{16,64}})",
            _scrypt,
        ),
        # Argon2, version 19 alone: PHC strings, OpenLDAP's, Django's.
        (
            rf"(?:\{{ARGON2\}}|argon2)?\$?(?P<kind>argon2id|argon2i)\$v=19\${_ARGON2_COST}\$(?P<salt>{_B64})\$(?P<digest>{_B64})",
            _argon2,
        ),
    )
)
