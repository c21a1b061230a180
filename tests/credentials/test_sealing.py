"""Sealed blobs open only in their place and under their key; key files survive a round trip and notice damage."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose, SealingKey

DAY = date(2026, 11, 24)
CONTEXT = sealing.context_of("123456789012", "access-key", "AKIAQNZGKIQY56JQ7WML")


def key(filling: int) -> SealingKey:
    return sealing.mint_key(bytes((filling,)) * 32, made=DAY)


RING = Keyring([key(1)])


def seal(plaintext: bytes, ring: Keyring = RING, nonce: bytes = bytes(24)) -> bytes:
    return sealing.seal(ring, plaintext, purpose=Purpose.ACCESS_KEY_SECRET, context=CONTEXT, nonce=nonce)


def unseal(blob: bytes, ring: Keyring = RING) -> bytes:
    return sealing.unseal(ring, blob, purpose=Purpose.ACCESS_KEY_SECRET, context=CONTEXT)


@pytest.mark.parametrize(
    ("filling", "associated", "expected"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_the_cipher_answers_the_vectors_of_its_specification(filling: int, associated: bytes, expected: str) -> None:
    cipher = sealing._ExtendedNonceAesGcm(bytes((filling,)) * 32)

    sealed = cipher.encrypt(b"ABCDEFGHIJKLMNOPQRSTUVWX", b"XAES-256-GCM", associated)

    assert expected == sealed.hex()


@given(plaintext=st.binary(max_size=300), nonce=st.binary(min_size=24, max_size=24))
def test_what_is_sealed_opens_again(plaintext: bytes, nonce: bytes) -> None:
    blob = seal(plaintext, nonce=nonce)

    assert plaintext == unseal(blob)
    assert len(blob) == len(plaintext) + 45


@given(position=st.integers(min_value=0, max_value=44), bit=st.integers(min_value=0, max_value=7))
def test_a_blob_with_any_bit_flipped_does_not_open(position: int, bit: int) -> None:
    blob = bytearray(seal(b""))
    blob[position] ^= 1 << bit

    with pytest.raises(sealing.Unsealable):
        unseal(bytes(blob))


@given(st.binary(max_size=100))
def test_garbage_does_not_open(garbage: bytes) -> None:
    with pytest.raises(sealing.Unsealable):
        unseal(garbage)


def test_what_several_threads_seal_at_once_opens_again() -> None:
    # They share one cipher, which must not mix their blocks.
    def sealed_and_opened(number: int) -> bool:
        return all(unseal(seal(b"%d" % number, nonce=os.urandom(24))) == b"%d" % number for _ in range(200))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(sealed_and_opened, range(4)))


def test_a_blob_swapped_into_another_row_does_not_open() -> None:
    elsewhere = sealing.context_of("123456789012", "access-key", "AKIAQNZGKIQY56JQ7WMM")

    with pytest.raises(sealing.Unsealable):
        sealing.unseal(RING, seal(b"x"), purpose=Purpose.ACCESS_KEY_SECRET, context=elsewhere)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.ACCESS_KEY_SECRET])
def test_a_blob_passed_off_for_another_purpose_does_not_open(purpose: Purpose) -> None:
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(RING, seal(b"x"), purpose=purpose, context=CONTEXT)


def test_contexts_cut_differently_differ() -> None:
    assert sealing.context_of("ab", "c") != sealing.context_of("a", "bc")
    assert sealing.context_of("a", "") != sealing.context_of("a")


def test_after_rotation_old_blobs_open_and_are_known_as_old() -> None:
    old = seal(b"x")
    ring = sealing.rotated(RING, key(2))

    new = seal(b"x", ring)

    assert unseal(old, ring) == unseal(new, ring) == b"x"
    assert not sealing.is_current(ring, old)
    assert sealing.is_current(ring, new)


def test_a_blob_of_a_key_that_was_dropped_does_not_open() -> None:
    with pytest.raises(sealing.Unsealable):
        unseal(seal(b"x"), Keyring([key(2)]))


def test_the_same_words_answer_every_failure() -> None:
    messages = set()
    for blob in (b"", seal(b"x")[:-1], seal(b"x", Keyring([key(2)])), os.urandom(60)):
        with pytest.raises(sealing.Unsealable) as caught:
            unseal(blob)
        messages.add(str(caught.value))

    assert messages == {"the sealed value cannot be opened"}


def test_a_key_file_survives_a_round_trip() -> None:
    ring = Keyring([key(3), key(2), key(1)])

    read = sealing.read_key_file(sealing.write_key_file(ring).reveal())

    assert ring.keys == read.keys
    assert read.newest == key(3)


def test_a_key_file_with_a_damaged_key_is_refused_by_line_without_showing_it() -> None:
    text = sealing.write_key_file(RING).reveal().replace("AQEB", "AQEC", 1)

    with pytest.raises(sealing.MalformedKeyFile, match="line 4 of the key file is damaged") as caught:
        sealing.read_key_file(text)

    assert "AQE" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "hello\n",
        f"{key(1).id} 2026-13-45 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        f"{key(1).id} 2026-11-24 AQEB",
        f"{key(1).id} 2026-11-24 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n" * 2,
    ],
)
def test_a_malformed_key_file_is_refused(text: str) -> None:
    with pytest.raises(sealing.MalformedKeyFile):
        sealing.read_key_file(text)


def test_keys_and_keyrings_do_not_show_themselves() -> None:
    shown = repr(RING) + repr(RING.keys)

    assert key(1).id in shown
    assert "\\x01" not in shown


def test_fingerprints_meet_for_equal_messages_of_one_purpose_only() -> None:
    def fingerprint(message: bytes, purpose: Purpose, ring: Keyring = RING) -> bytes:
        return sealing.fingerprint(ring, message, purpose=purpose)

    assert fingerprint(b"x", Purpose.COOKIE) == fingerprint(b"x", Purpose.COOKIE)
    assert fingerprint(b"x", Purpose.COOKIE) != fingerprint(b"y", Purpose.COOKIE)
    assert fingerprint(b"x", Purpose.COOKIE) != fingerprint(b"x", Purpose.PAGE_TOKEN)
    assert fingerprint(b"x", Purpose.COOKIE) != fingerprint(b"x", Purpose.COOKIE, Keyring([key(2)]))


def test_sizes_of_random_input_are_checked() -> None:
    with pytest.raises(ValueError, match="24 random bytes"):
        seal(b"", nonce=bytes(12))
    with pytest.raises(ValueError, match="32 random bytes"):
        sealing.mint_key(b"short", made=DAY)


def test_a_keyring_that_adopts_another_seals_with_its_newest_key_and_opens_what_it_sealed_before():
    made = date(2026, 11, 24)
    ring = Keyring([sealing.mint_key(bytes(32), made=made)])
    old = sealing.seal(ring, b"secret", purpose=Purpose.COOKIE, context=b"", nonce=bytes(24))
    mac = sealing.fingerprint(ring, b"message", purpose=Purpose.PAGE_TOKEN)

    ring.adopt(sealing.rotated(ring, sealing.mint_key(b"\1" * 32, made=made)))

    new = sealing.seal(ring, b"secret", purpose=Purpose.COOKIE, context=b"", nonce=bytes(24))
    assert [False, True] == [sealing.is_current(ring, blob) for blob in (old, new)]
    assert {b"secret"} == {sealing.unseal(ring, blob, purpose=Purpose.COOKIE, context=b"") for blob in (old, new)}
    assert mac != sealing.fingerprint(ring, b"message", purpose=Purpose.PAGE_TOKEN)
