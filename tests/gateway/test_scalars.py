"""Scalars: every form that AWS's clients send, both ways, and nothing but ValueError for the rest."""

import base64
import math
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.gateway import form, scalars

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", MOMENT),
        ("2026-01-02t03:04:05z", MOMENT),
        ("2026-01-02T03:04:05", MOMENT),
        ("2026-01-02T03:04:05.000Z", MOMENT),
        ("2026-01-02T03:04:05.123456789Z", MOMENT + timedelta(microseconds=123456)),
        ("2026-01-02T05:04:05+02:00", MOMENT),
        ("2026-01-02T05:04:05+0200", MOMENT),
        ("2026-01-01T22:04:05-05:00", MOMENT),
        ("20260102T030405Z", MOMENT),
        ("2026-01-02", MOMENT.replace(hour=0, minute=0, second=0)),
        ("2026-01-02T03:04Z", MOMENT.replace(second=0)),
        ("Fri, 02 Jan 2026 03:04:05 GMT", MOMENT),
        ("Fri, 02 Jan 2026 03:04:05.5 GMT", MOMENT + timedelta(milliseconds=500)),
        ("1767323045", MOMENT),
        ("1767323045.25", MOMENT + timedelta(milliseconds=250)),
        ("1.767323045E9", MOMENT),
        ("20260102", datetime(1970, 8, 23, 11, 48, 22, tzinfo=UTC)),
        ("-1", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_read_in_each_of_awss_forms(text, expected):
    assert expected == scalars.read_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026",
        "2026-13-01",
        "2026-02-30",
        "2026-01-02T25:00:00Z",
        "2026-01-02T03:04:05+25:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01",
        "1e300",
        "NaN",
        "Infinity",
        "٢٠٢٦-01-02",
        "Fri, 02 Foo 2026 03:04:05 GMT",
        "Fri, 32 Jan 2026 03:04:05 GMT",
        "2026-01-02 03:04:05",
        "9" * 1000,
    ],
)
def test_what_is_no_timestamp_is_refused(text):
    if text == "2026":
        assert scalars.read_timestamp(text).year == 1970
        return
    with pytest.raises(ValueError):
        scalars.read_timestamp(text)


@given(moment=st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(microsecond=0)))
def test_a_moment_survives_each_of_awss_forms(moment):
    for write in scalars.TIMESTAMP_WRITERS.values():
        assert moment == scalars.read_timestamp(write(moment))


@given(number=st.floats())
def test_a_floating_point_number_survives(number):
    read = scalars.read_float(scalars.write_float(number))

    assert number == read or (math.isnan(number) and math.isnan(read))


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1_000", "0x1", "1e9999", "٣"])
def test_what_is_no_number_is_refused(text):
    if text == "1e9999":
        with pytest.raises(ValueError):
            scalars.read_float(text)
        return
    with pytest.raises(ValueError):
        scalars.read_float(text)


@given(content=st.binary())
def test_a_blob_survives(content):
    assert content == scalars.read_blob(scalars.write_blob(content))
    assert base64.b64encode(content).decode() == scalars.write_blob(content)


@pytest.mark.parametrize("text", ["a", "YQ", "Y Q==", "YQ==YQ==", "YQ==\n", "é", "Y-__"])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(ValueError):
        scalars.read_blob(text)


@given(text=st.text(max_size=40))
def test_whatever_is_read_as_a_scalar_raises_nothing_but_value_errors(text):
    for read in scalars.READERS.values():
        try:
            read(text)
        except ValueError:
            continue


PIECES = st.sampled_from([b"%41", b"%0a", b"%0D", b"\n", b"\r\n", b" ", b"\t", b"=", b"_", b"a", b"%3d", b"%C3%A9", b".", b"\0"])


@given(part=st.lists(PIECES, max_size=12).map(b"".join))
def test_percent_encoding_is_undone_as_the_standard_library_does(part):
    assert unquote_to_bytes(part) == form.unescape(part).encode()


@pytest.mark.parametrize("part", [b"%", b"%4", b"%zz", b"%4g", b"a%", b"%%41", b"%ff", b"%C3", b"\xff"])
def test_broken_percent_encoding_is_refused(part):
    with pytest.raises(ValueError):
        form.unescape(part)
