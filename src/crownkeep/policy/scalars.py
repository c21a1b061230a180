"""Numbers, dates, addresses and binary of conditions: text to comparable values, None for text that is not one."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from decimal import Decimal
from functools import lru_cache

# A double holds no more; a longer or larger number is no number to AWS, and must not cost us big arithmetic.
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_LAST_EPOCH = 2**63 - 1
_DATE = re.compile(
    r"(?P<year>-?[0-9]{1,9})(?:-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2}))?)?"
    r"(?:[Tt](?:(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:\.(?P<fraction>[0-9]{1,9}))?)?)?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?)?)?",
    re.ASCII,
)

Network = tuple[int, int, int]
Address = tuple[int, int]


def read_number(text: str) -> Decimal | None:
    """A decimal number, exactly."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def read_date(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 date or of epoch seconds; finer fractions are cut off, as AWS does.

    Four digits are a year; any other plain number is epoch seconds.
    """
    epoch = None if _YEAR.fullmatch(text) else read_number(text)
    if epoch is not None:
        # Bounded before the multiplication: `1e999` would become an integer of a thousand digits.
        return int(epoch * 1000) if abs(epoch) <= _LAST_EPOCH else None
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    month, day = int(match["month"] or 1), int(match["day"] or 1)
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    year = int(match["year"])
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month) and hour <= 23 and minute <= 59 and second <= 59):
        return None
    zone = _zone_seconds(match)
    if zone is None:
        return None
    seconds = _days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - zone
    return seconds * 1000 + int((match["fraction"] or "").ljust(3, "0")[:3])


def _zone_seconds(match: re.Match[str]) -> int | None:
    hours, minutes = int(match["zone_hour"] or 0), int(match["zone_minute"] or 0)
    if hours > 23 or minutes > 59:
        return None
    seconds = hours * 3600 + minutes * 60
    return -seconds if match["sign"] == "-" else seconds


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days_since_1970(year: int, month: int, day: int) -> int:
    """Days in the proleptic Gregorian calendar, for any year; datetime ends at 9999 and a policy's year need not."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    # Counted from March, so that the leap day is the year's last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address | None:
    """(version, number) of an address; an IPv4-mapped IPv6 address counts as its IPv4 one. Zones are refused."""
    address = _address(text)
    if address is None:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (4, int(mapped)) if mapped is not None else (address.version, int(address))


def read_network(text: str) -> Network | None:
    """(version, network, mask) of a CIDR range or one address; IPv4 host bits are masked, IPv6 ones make it no range."""
    literal, slash, prefix = text.partition("/")
    address = _address(literal)
    # `::ffff:10.0.0.0/104` is taken for no range; a mapped address in a request counts as its IPv4 one.
    if address is None or (address.version == _IPV6 and "." in literal):
        return None
    width = address.max_prefixlen
    if slash and not (_PREFIX.fullmatch(prefix) and int(prefix) <= width):
        return None
    mask = (1 << width) - (1 << width - int(prefix or width)) if slash else (1 << width) - 1
    number = int(address) & mask
    # An IPv6 range with host bits set is a mistake in the policy, and matches nothing.
    if address.version == _IPV6 and number != int(address):
        return None
    return address.version, number, mask


_IPV6 = 6
_PREFIX = re.compile(r"[0-9]{1,3}", re.ASCII)
_IPV4_TEXT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){3}", re.ASCII)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if "%" in text:
        return None
    if _IPV4_TEXT.fullmatch(text):  # leading zeros are decimal to AWS, while Python refuses them
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and "." in text and address.ipv4_mapped is None:
        return None
    return address


def is_inside(address: Address, network: Network) -> bool:
    """Whether an address is in a range; never across versions."""
    version, number = address
    return version == network[0] and number & network[2] == network[1]


def read_binary(text: str) -> bytes | None:
    """The bytes of a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
