"""Hashes of other directories: held against as they were made, and refused where they are not sound or cost too much."""

from __future__ import annotations

import base64
import hashlib
import re

import bcrypt
import pytest

from crownkeep.credentials import imported_hashes, passwords
from crownkeep.credentials.imported_hashes import UnsoundHash
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret

PASSWORD = "correct horsé battery"
SALT = b"0123456789abcdef"
SMALL = Cost(memory_kib=4096, passes=3, lanes=1)


def spelled(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=").replace("+", ".")


def pbkdf2(algorithm: str, rounds: int = 10_000) -> bytes:
    return hashlib.pbkdf2_hmac(algorithm, PASSWORD.encode(), SALT, rounds)


def scrypted(n: int = 8192) -> bytes:
    return hashlib.scrypt(PASSWORD.encode(), salt=SALT, n=n, r=8, p=2, dklen=32)


def taken() -> dict[str, str]:
    crypted = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    argon2 = passwords.hash_password(Secret(PASSWORD), salt=SALT, cost=SMALL)
    text = SALT.decode()
    return {
        "bcrypt": crypted,
        "bcrypt of PHP, by OpenLDAP": "{CRYPT}" + crypted.replace("$2b$", "$2y$"),
        "bcrypt of Django": f"bcrypt${crypted}",
        "PBKDF2 of passlib": f"$pbkdf2-sha256$10000${spelled(SALT)}${spelled(pbkdf2('sha256'))}",
        "PBKDF2 of OpenLDAP": f"{{PBKDF2-SHA512}}10000${spelled(SALT)}${spelled(pbkdf2('sha512'))}",
        "PBKDF2 of Django": f"pbkdf2_sha256$10000${text}${base64.b64encode(pbkdf2('sha256')).decode()}",
        "PBKDF2 of Werkzeug": f"pbkdf2:sha256:10000${text}${pbkdf2('sha256').hex()}",
        "scrypt of passlib": f"$scrypt$ln=13,r=8,p=2${spelled(SALT)}${spelled(scrypted())}",
        "scrypt of Django": f"scrypt${text}$8192$8$2${base64.b64encode(scrypted()).decode()}",
        "scrypt of Werkzeug": f"scrypt:8192:8:2${text}${scrypted().hex()}",
        "Argon2": argon2,
        "Argon2 of OpenLDAP": "{ARGON2}" + argon2,
        "Argon2 of Django": f"argon2{argon2}",
    }


@pytest.mark.parametrize("given", [pytest.param(value, id=name) for name, value in taken().items()])
def test_a_password_is_held_against_a_hash_as_another_directory_made_it(given: str):
    kept = imported_hashes.read(given)

    assert passwords.verify(Secret(PASSWORD), kept)
    assert not passwords.verify(Secret(PASSWORD + "x"), kept)
    assert passwords.needs_rehash(kept, SMALL)
    assert len(kept) <= 256


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("{SSHA}aGVsbG8gd29ybGQgaGVsbG8=", "SHA-1"),
        ("{SSHA512}aGVsbG8gd29ybGQgaGVsbG8=", "SHA-2 computed once"),
        ("{MD5}aGVsbG8=", "MD5"),
        ("$1$salt$aGVsbG8", "MD5"),
        ("$6$rounds=5000$salt$aGVsbG8", "crypt(3)"),
        ("{CRYPT}$6$salt$aGVsbG8", "crypt(3)"),
        ("{CRYPT}abJnggxhB/yWI", "crypt(3)"),
        ("$y$j9T$salt$hash", "crypt(3)"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "without a salt"),
        ("{PBKDF2}10000$c2FsdA$aGFzaA", "SHA-1"),
        ("$2x$10$" + "a" * 53, "known fault"),
        ("hunter2", "no scheme that is taken"),
        ("$argon2id$v=16$m=65536,t=3,p=1$c2FsdHNhbHQ$" + "A" * 43, "no scheme that is taken"),
        ("\u202e$2b$10$", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_a_scheme_that_is_not_sound_is_refused_by_its_name(given: str, reason: str):
    with pytest.raises(UnsoundHash, match=re.escape(reason)):
        imported_hashes.read(given)


@pytest.mark.parametrize(
    "given",
    [
        "$2b$31$" + "a" * 21 + "." + "a" * 30 + ".",
        "$2b$04$" + "a" * 21 + "." + "a" * 30 + ".",
        "$pbkdf2-sha256$999999999$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$scrypt$ln=99,r=99,p=99$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=65536,t=9999,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
    ],
)
def test_a_hash_that_would_cost_a_server_too_much_or_an_attacker_too_little_is_refused(given: str):
    with pytest.raises(UnsoundHash, match=r"are taken|cost that is too low or too high"):
        imported_hashes.read(given)


def test_bcrypt_takes_72_bytes_and_no_password_with_a_nul():
    long = "x" * 72
    kept = imported_hashes.read(bcrypt.hashpw(long.encode(), bcrypt.gensalt(10)).decode())

    assert passwords.verify(Secret(long + "more"), kept)
    assert not passwords.verify(Secret("x\0"), kept)
