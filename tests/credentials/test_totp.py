"""One-time codes: RFC 6238's vectors, pyotp as oracle, and AWS's rules of windows, single use and attempts."""

import base64
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.credentials import totp
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.totp import DeviceState, InvalidCode, TooManyAttempts

SEED = bytes(range(40))
NOW = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


def code(offset: int) -> str:
    return totp.code_at(SEED, STEP + offset)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, expected: str) -> None:
    assert totp.code_at(b"12345678901234567890", seconds // 30) == expected[-6:]


@given(seed=st.binary(min_size=16, max_size=64), step=st.integers(min_value=0, max_value=2**40))
def test_codes_are_pyotps(seed: bytes, step: int) -> None:
    expected = pyotp.HOTP(base64.b32encode(seed).decode()).at(step)

    assert totp.code_at(seed, step) == expected


def test_enrolment_learns_the_drift_from_two_consecutive_codes() -> None:
    assert totp.enrol(SEED, code(-1), code(0), now=NOW) == DeviceState(drift=0)
    assert totp.enrol(SEED, code(0), code(1), now=NOW) == DeviceState(drift=1)
    assert totp.enrol(SEED, code(-301), code(-300), now=NOW) == DeviceState(drift=-300)


@pytest.mark.parametrize("first", [-998, 1000])
def test_the_enrolment_window_reaches_to_its_ends(first: int) -> None:
    assert totp.enrol(SEED, code(first), code(first + 1), now=NOW).drift == first + 1


@pytest.mark.parametrize("first", [-999, 1001])
def test_the_enrolment_window_ends(first: int) -> None:
    with pytest.raises(InvalidCode):
        totp.enrol(SEED, code(first), code(first + 1), now=NOW)


@pytest.mark.parametrize(
    ("code1", "code2"),
    [(code(0), code(-1)), (code(-2), code(0)), (code(0), code(0)), ("", ""), (code(-1), code(0) + "0")],
    ids=["reversed", "not consecutive", "the same twice", "empty", "seven digits"],
)
def test_codes_that_are_not_consecutive_do_not_enrol(code1: str, code2: str) -> None:
    with pytest.raises(InvalidCode):
        totp.enrol(SEED, code1, code2, now=NOW)


def test_codes_of_the_enrolment_are_good_for_one_use_each() -> None:
    state = totp.enrol(SEED, code(-1), code(0), now=NOW)

    state = totp.verify(SEED, state, code(0), now=NOW)
    state = totp.verify(SEED, state, code(-1), now=NOW)

    with pytest.raises(InvalidCode):
        totp.verify(SEED, state, code(0), now=NOW)


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_codes_within_two_steps_of_the_devices_clock_count(offset: int) -> None:
    state = DeviceState(drift=7)

    assert totp.verify(SEED, state, code(7 + offset), now=NOW).used == (STEP + 7 + offset,)


@pytest.mark.parametrize("offset", [-3, 3, -7])
def test_codes_beyond_two_steps_of_the_devices_clock_do_not(offset: int) -> None:
    with pytest.raises(InvalidCode):
        totp.verify(SEED, DeviceState(drift=7), code(7 + offset), now=NOW)


def test_a_replayed_code_is_refused_even_when_the_clock_was_set_back() -> None:
    state = totp.verify(SEED, DeviceState(), code(0), now=NOW)
    later = totp.verify(SEED, state, code(100), now=NOW + timedelta(seconds=3000))

    with pytest.raises(InvalidCode):
        totp.verify(SEED, later, code(0), now=NOW)


def test_the_tenth_attempt_of_three_minutes_is_refused_even_with_the_right_code() -> None:
    state = DeviceState()
    for _ in range(totp.ATTEMPTS):
        with pytest.raises(InvalidCode) as caught:
            totp.verify(SEED, state, "000000", now=NOW)
        state = caught.value.state

    with pytest.raises(TooManyAttempts):
        totp.verify(SEED, state, code(0), now=NOW)
    with pytest.raises(TooManyAttempts):
        totp.resync(SEED, state, code(-1), code(0), now=NOW)


def test_brute_force_is_let_on_when_the_next_span_begins() -> None:
    exhausted = DeviceState(span=int(NOW.timestamp()) // 180, attempts=totp.ATTEMPTS)
    next_span = datetime.fromtimestamp((int(NOW.timestamp()) // 180 + 1) * 180, UTC)
    offset = (int(next_span.timestamp()) // 30) - STEP

    state = totp.verify(SEED, exhausted, code(offset), now=next_span)

    assert state.attempts == 1


def test_brute_force_waits_longer_after_every_wrong_code_beyond_nine_in_a_row() -> None:
    assert [0, 0, 1, 2, 4, 5, 5] == [totp.wait_after(failures) for failures in (0, 8, 9, 10, 11, 12, 10**6)]


def test_brute_force_is_slow_for_days_however_the_tries_are_spread() -> None:
    state, tried = DeviceState(), 0
    for minute in range(0, 24 * 60, 3):
        for _ in range(totp.ATTEMPTS):
            try:
                state = totp.verify(SEED, state, "000000", now=NOW + timedelta(minutes=minute))
            except InvalidCode as refusal:
                state, tried = refusal.state, tried + 1
            except TooManyAttempts:
                break

    assert 9 + 4 < tried <= 9 + 4 + 24 * 4


def test_a_right_code_ends_the_waits() -> None:
    state = DeviceState(span=int(NOW.timestamp()) // 180 - 5, attempts=1, failures=30)

    assert 0 == totp.verify(SEED, state, code(0), now=NOW).failures


def test_brute_force_over_two_nodes_whose_clocks_differ_is_not_let_on_at_the_turn_of_a_span() -> None:
    turn = datetime.fromtimestamp((int(NOW.timestamp()) // 180 + 1) * 180, UTC)
    state = DeviceState()
    tried = 0
    for number in range(60):
        try:
            totp.verify(SEED, state, "000000", now=turn - timedelta(seconds=number % 2))
        except InvalidCode as refusal:
            state, tried = refusal.state, tried + 1
        except TooManyAttempts:
            pass

    assert tried <= totp.ATTEMPTS + 1


def test_a_clock_that_was_set_back_does_not_keep_a_device_out() -> None:
    state = DeviceState(span=int(NOW.timestamp()) // 180 + 1000, attempts=9)

    assert 1 == totp.verify(SEED, state, code(0), now=NOW).attempts


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", " 12345", "１２３４５６", "000000\n", "-00001"])
def test_what_is_not_six_digits_is_refused_and_counted(typed: str) -> None:
    with pytest.raises(InvalidCode) as caught:
        totp.verify(SEED, DeviceState(), typed, now=NOW)

    assert caught.value.state.attempts == 1


def test_resynchronising_learns_a_new_drift_and_remembers_used_codes() -> None:
    state = totp.verify(SEED, DeviceState(), code(0), now=NOW)

    moved = totp.resync(SEED, state, code(40), code(41), now=NOW)

    assert moved.drift == 41
    assert moved.used == state.used


def test_resynchronising_to_replay_used_codes_is_refused() -> None:
    state = totp.verify(SEED, DeviceState(), code(-1), now=NOW)
    state = totp.verify(SEED, state, code(0), now=NOW)

    with pytest.raises(InvalidCode):
        totp.resync(SEED, state, code(-1), code(0), now=NOW)


def test_used_steps_are_forgotten_in_the_end() -> None:
    state = DeviceState(used=tuple(range(STEP - 500, STEP - 400)))

    assert totp.verify(SEED, state, code(0), now=NOW).used == (STEP,)


def test_near_the_epoch_there_are_no_codes_of_negative_steps() -> None:
    start = datetime.fromtimestamp(10, UTC)

    state = totp.verify(SEED, DeviceState(), totp.code_at(SEED, 0), now=start)

    assert state.used == (0,)


@given(st.binary(min_size=16, max_size=64))
def test_a_seed_survives_being_spelled(seed: bytes) -> None:
    spelled = totp.seed_text(seed).reveal()

    assert totp.read_seed(spelled) == seed
    assert totp.read_seed(" ".join(spelled.lower())) == seed


def test_an_awss_seed_has_sixty_four_characters() -> None:
    assert re.fullmatch(r"[A-Z2-7]{64}", totp.seed_text(SEED).reveal())


@pytest.mark.parametrize("text", ["", "A", "11111111", "AAAA", "é" * 32, "A" * 200])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="seed"):
        totp.read_seed(text)


def test_the_uri_is_awss_and_authenticator_apps_read_it() -> None:
    uri = totp.provisioning_uri(SEED, device_name="my phone", owner="123456789012", issuer="Amazon Web Services")

    parsed = pyotp.parse_uri(uri.reveal())

    seed = totp.seed_text(SEED).reveal()
    assert uri.reveal() == (f"otpauth://totp/my%20phone@123456789012?secret={seed}&issuer=Amazon%20Web%20Services")
    assert parsed.secret == seed
    assert parsed.name == "my phone@123456789012"
    assert isinstance(uri, Secret)


def test_the_qr_code_is_drawn_as_png_and_svg() -> None:
    uri = totp.provisioning_uri(SEED, device_name="phone", owner="alice")

    png, svg = totp.qr_png(uri), totp.qr_svg(uri)

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "#fff" in svg
    assert "style" not in svg
