"""Generated passwords satisfy every policy, and are never taken for a formula."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import generated_passwords

CHANCE = st.binary(min_size=generated_passwords.CHANCE, max_size=generated_passwords.CHANCE)


@given(chance=CHANCE, length=st.integers(8, 128))
def test_a_generated_password_has_all_four_classes_its_length_and_a_letter_first(chance: bytes, length: int):
    password = generated_passwords.generate(chance, length=length)

    assert length == len(password)
    assert password[0].isalpha()
    assert any(letter.islower() for letter in password)
    assert any(letter.isupper() for letter in password)
    assert any(letter.isdigit() for letter in password)
    assert set(password) & set("!@#$%^&*()_+-=[]{}|'")


@given(chance=CHANCE)
def test_nothing_in_it_can_be_misread_or_breaks_a_file(chance: bytes):
    password = generated_passwords.generate(chance)

    assert not set(password) & set("0O1lI,\"'\\ ;\n")


def test_different_chance_makes_different_passwords():
    size = generated_passwords.CHANCE

    made = {generated_passwords.generate(bytes([number]) * size) for number in range(1, 200)}

    assert 199 == len(made)
