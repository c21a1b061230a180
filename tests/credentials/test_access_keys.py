"""Access key ids decode as AWS's do; secrets look like AWS's."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import access_keys
from crownkeep.credentials.access_keys import KeyPrefix

account_ids = st.integers(min_value=0, max_value=10**12 - 1).map(lambda number: f"{number:012}")


def account_as_published_tools_decode_it(key_id: str) -> int:
    """Decode as the research that found the encoding describes it, independently of the code under test."""
    head = int.from_bytes(base64.b32decode(key_id[4:])[0:6], byteorder="big")
    return (head & int("7fffffffff80", 16)) >> 7


@given(prefix=st.sampled_from(KeyPrefix), account_id=account_ids, random=st.binary(min_size=5, max_size=5))
def test_a_minted_id_decodes_to_its_account_with_our_decoder_and_with_everybodys(
    prefix: KeyPrefix, account_id: str, random: bytes
) -> None:
    key_id = access_keys.mint(prefix, account_id, random)

    assert account_id == access_keys.account_of(key_id)
    assert int(account_id) == account_as_published_tools_decode_it(key_id)
    assert re.fullmatch(r"(AKIA|ASIA)[Q-Z2-7][A-Z2-7]{15}", key_id)
    assert prefix == access_keys.prefix_of(key_id)


@pytest.mark.parametrize(
    ("key_id", "account_id"), [("ASIAQNZGKIQY56JQ7WML", "029608264753"), ("AKIASP2TPHJSQH3FJRUX", "171436882533")]
)
def test_ids_minted_by_aws_and_published_by_researchers_decode(key_id: str, account_id: str) -> None:
    assert account_id == access_keys.account_of(key_id)


def test_every_used_bit_of_the_random_bytes_changes_the_id() -> None:
    ids = {access_keys.mint(KeyPrefix.LONG_TERM, "123456789012", (1 << bit).to_bytes(5, "big")) for bit in range(39)}

    assert len(ids) == 39


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "AKIA",
        "AKIAIOSFODNN7EXAMPLE",  # older than the encoding
        "AKIAQNZGKIQY56JQ7WM",
        "AKIAQNZGKIQY56JQ7WMLL",
        "AKIAQNZGKIQY56JQ7WM1",
        "AKIAqnzgkiqy56jq7wml",
        "AKIAQNZGKIQY56JQ7WML\n",
        "AIDAQNZGKIQY56JQ7WML",
        "AKIA7777777777777777",  # decodes to more than twelve digits
        "AKIAＱNZGKIQY56JQ7WML",
        "\0" * 20,
    ],
)
def test_hostile_ids_have_no_account(hostile: str) -> None:
    assert access_keys.account_of(hostile) is None


@given(st.text(max_size=30))
def test_no_text_makes_the_decoder_fail(text: str) -> None:
    assert access_keys.account_of(text) is None or len(text) == 20


@pytest.mark.parametrize("account_id", ["", "12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"])
def test_a_malformed_account_id_is_refused(account_id: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        access_keys.mint(KeyPrefix.LONG_TERM, account_id, bytes(5))


@given(st.binary(min_size=30, max_size=30))
def test_a_minted_secret_has_forty_characters_of_awss_alphabet(random: bytes) -> None:
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", access_keys.mint_secret(random).reveal())


def test_too_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="5 random bytes"):
        access_keys.mint(KeyPrefix.LONG_TERM, "123456789012", b"")
    with pytest.raises(ValueError, match="30 random bytes"):
        access_keys.mint_secret(bytes(29))


def test_an_unknown_prefix_is_neither_long_term_nor_temporary() -> None:
    assert access_keys.prefix_of("AIDAQNZGKIQY56JQ7WML") is None
