"""Recovery codes: readable, unguessable, spent once."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import recovery_codes
from crownkeep.credentials.recovery_codes import InvalidRecoveryCode
from crownkeep.credentials.secret import Secret

SALT = bytes(range(16))
CODES = recovery_codes.mint(bytes(range(100)))
STORED = [recovery_codes.hash_code(code, salt=SALT) for code in CODES]


@given(st.binary(min_size=100, max_size=100))
def test_a_set_has_ten_codes_of_readable_characters_that_carry_every_random_bit(random: bytes) -> None:
    codes = [code.reveal() for code in recovery_codes.mint(random)]

    assert len(codes) == 10
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert [int.from_bytes(random[start : start + 10], "big") for start in range(0, 100, 10)] == [
        _as_number(code) for code in codes
    ]


def _as_number(code: str) -> int:
    number = 0
    for character in code.replace("-", ""):
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    return number


def test_a_code_is_spent_by_deleting_its_hash() -> None:
    unspent = list(STORED)

    unspent.remove(recovery_codes.spend(CODES[3], unspent, salt=SALT))

    assert len(unspent) == 9
    with pytest.raises(InvalidRecoveryCode):
        recovery_codes.spend(CODES[3], unspent, salt=SALT)


def test_a_code_is_recognised_however_it_was_copied() -> None:
    code = recovery_codes.mint(b"\x00\x44\x32" * 33 + b"\x00")[0].reveal()
    sloppy = Secret(f"  {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')}\n")

    hashed = recovery_codes.hash_code(Secret(code), salt=SALT)

    assert recovery_codes.spend(sloppy, [hashed], salt=SALT) == hashed


@pytest.mark.parametrize("guess", ["", "----", "AAAA-AAAA-AAAA-AAAA", CODES[0].reveal()[:-1], CODES[0].reveal() + "0"])
def test_a_guessed_code_is_refused(guess: str) -> None:
    with pytest.raises(InvalidRecoveryCode):
        recovery_codes.spend(Secret(guess), STORED, salt=SALT)


def test_an_empty_code_is_refused_even_if_its_hash_were_stored() -> None:
    stored = recovery_codes.hash_code(Secret(""), salt=SALT)

    with pytest.raises(InvalidRecoveryCode):
        recovery_codes.spend(Secret("?!"), [stored], salt=SALT)


def test_a_hash_of_another_set_does_not_match() -> None:
    with pytest.raises(InvalidRecoveryCode):
        recovery_codes.spend(CODES[0], STORED, salt=os.urandom(16))


def test_too_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="100 random bytes"):
        recovery_codes.mint(bytes(99))
