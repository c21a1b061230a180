"""Scalars on the wire: timestamps in AWS's three forms, numbers, booleans and base64, both ways.

Reading raises ValueError; the caller knows which of AWS's errors that is in its protocol.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from crownkeep.columns import Moments

Read = Callable[[str], object]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTEGER_RANGE = range(-(2**31), 2**31)
LONG_RANGE = range(-(2**63), 2**63)

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPECIAL_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_INTEGER = re.compile(r"[-+]?[0-9]{1,20}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][-+]?[0-9]{1,3})?")
_ISO8601 = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[Tt]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:[Zz]|([-+])([0-9]{2}):?([0-9]{2}))?)?"
)
_HTTP_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))? GMT"
)


def read_timestamp(text: str) -> datetime:
    """Read a moment in any of AWS's forms: ISO 8601, seconds since 1970, or an HTTP date (RFC 9110, 5.6.7).

    A moment without an offset is in UTC. Digits beyond microseconds are dropped.
    """
    iso = _ISO8601.fullmatch(text)
    # Eight digits alone are seconds since 1970, not a date.
    if iso and not text.isdigit():
        year, month, day, hour, minute, second, fraction, sign, hours, minutes = iso.groups()
        # RFC 3339's offset is what local time is ahead of UTC, and `timezone` takes the same sign.
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        zone = timezone(-offset if sign == "-" else offset)
        return _moment(year, int(month), day, hour or 0, minute or 0, second or 0, fraction, zone)
    http = _HTTP_DATE.fullmatch(text)
    if http:
        day, month_name, year, hour, minute, second, fraction = http.groups()
        return _moment(year, _MONTHS.index(month_name) + 1, day, hour, minute, second, fraction, UTC)
    if _NUMBER.fullmatch(text):
        return read_epoch(float(text))
    raise ValueError("not a timestamp")


def read_epoch(seconds: float) -> datetime:
    """Read seconds since 1970, kept to the microsecond."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError("not a timestamp within the years 1 to 9999") from error


def _moment(
    year: str,
    month: int,
    day: str,
    hour: str | int,
    minute: str | int,
    second: str | int,
    fraction: str | None,
    zone: timezone,
) -> datetime:
    # Cut, not rounded: rounding up could name a moment that has not come yet.
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(int(year), month, int(day), int(hour), int(minute), int(second), microsecond, zone)
        return local.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a timestamp within the years 1 to 9999") from error


def read_integer(text: str) -> int:
    """Read a 32-bit integer."""
    return _integer_in(INTEGER_RANGE, text)


def read_long(text: str) -> int:
    """Read a 64-bit integer."""
    return _integer_in(LONG_RANGE, text)


def _integer_in(allowed: range, text: str) -> int:
    # Python's `int` would also take underscores, blanks and other scripts' digits.
    if not _INTEGER.fullmatch(text):
        raise ValueError("not an integer")
    number = int(text)
    if number not in allowed:
        raise ValueError("an integer out of range")
    return number


def read_float(text: str) -> float:
    """Read a floating point number, `NaN`, `Infinity` or `-Infinity`."""
    special = _SPECIAL_NUMBERS.get(text)
    if special is not None:
        return special
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return float(text)


def read_boolean(text: str) -> bool:
    """Read `true` or `false`, and nothing else."""
    if text == "true":
        return True
    if text == "false":
        return False
    raise ValueError("neither true nor false")


def read_blob(text: str) -> bytes:
    """Read base64 (RFC 4648, section 4), strictly."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise ValueError("not base64") from error


def read_string(text: str) -> str:
    """Read a string as it is, without the character that neither XML nor PostgreSQL can hold."""
    if "\0" in text:
        raise ValueError("a string with a null character")
    return text


READERS: dict[str, Read] = {
    "string": read_string,
    "integer": read_integer,
    "long": read_long,
    "float": read_float,
    "double": read_float,
    "boolean": read_boolean,
    "blob": read_blob,
    "timestamp": read_timestamp,
}
"""Readers of text by the model's type."""


def write_iso8601(moment: datetime) -> str:
    """Write a moment to the second in UTC, as AWS's answers do: `2026-01-01T00:00:00Z`."""
    local = moment.astimezone(UTC) if moment.tzinfo is not UTC else moment
    return f"{local.isoformat()[:19]}Z"


def write_iso8601_each(moments: Sequence[datetime] | Moments) -> list[str]:
    """Write moments as `write_iso8601` does, a list's at once."""
    if isinstance(moments, Moments):
        return [_iso8601_of(kept // 1_000_000) for kept in moments.kept if kept is not None]
    return [*map(write_iso8601, moments)]


# What is listed is listed again, and much of it was made within the same second.
@lru_cache(maxsize=4096)
def _iso8601_of(seconds: int) -> str:
    return write_iso8601(EPOCH + timedelta(0, seconds))


def write_http_date(moment: datetime) -> str:
    """Write a moment to the second as an HTTP date (RFC 9110, 5.6.7)."""
    local = moment.astimezone(UTC)
    return (
        f"{_WEEKDAYS[local.weekday()]}, {local.day:02d} {_MONTHS[local.month - 1]} {local.year:04d} "
        f"{local.hour:02d}:{local.minute:02d}:{local.second:02d} GMT"
    )


def epoch_seconds(moment: datetime) -> float:
    """Return seconds since 1970 to the millisecond, a whole number where there are no milliseconds."""
    milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def write_epoch(moment: datetime) -> str:
    """Write seconds since 1970."""
    return str(epoch_seconds(moment))


def write_float(number: float) -> str:
    """Write a floating point number as AWS does, `NaN` and the infinities by name."""
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def write_boolean(value: object) -> str:
    """Write `true` or `false`."""
    return "true" if value else "false"


def write_blob(content: bytes) -> str:
    """Write base64 on one line."""
    return binascii.b2a_base64(content, newline=False).decode("ascii")


TIMESTAMP_WRITERS: dict[str, Callable[[datetime], str]] = {
    "iso8601": write_iso8601,
    "rfc822": write_http_date,
    "unixTimestamp": write_epoch,
}
"""Writers of moments by the model's `timestampFormat`."""
