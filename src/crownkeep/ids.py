"""Identifiers: account ids, unique ids of IAM's entities, request and event ids."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import Enum
from uuid import UUID

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LOWER_ALPHANUMERIC = _ALPHANUMERIC.lower()
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that a UUID's variant leaves of a random one (RFC 9562, section 4.1)."""
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Prefix(Enum):
    """The first four characters of a unique id say what it names (IAM user guide, "IAM identifiers")."""

    USER = "AIDA"
    GROUP = "AGPA"
    ROLE = "AROA"
    POLICY = "ANPA"
    INSTANCE_PROFILE = "AIPA"
    CERTIFICATE = "ASCA"
    SSH_PUBLIC_KEY = "APKA"
    SERVICE_CREDENTIAL = "ACCA"


def unique_id(prefix: Prefix, chance: bytes) -> str:
    """Return a unique id: the prefix and 17 characters of A-Z and 0-9 drawn from `chance` (16 bytes)."""
    return prefix.value + _characters(_ALPHANUMERIC, chance, 17)


def certificate_id(chance: bytes) -> str:
    """Return the id of a signing certificate: 32 characters of A-Z and 0-9 drawn from `chance` (24 bytes), with no prefix."""
    return _characters(_ALPHANUMERIC, chance, 32)


def account_id(chance: bytes) -> str:
    """Return a 12-digit account id drawn from `chance` (8 bytes); leading zeros are avoided, since tools lose them."""
    return str(100_000_000_000 + int.from_bytes(chance, "big") % 900_000_000_000)


def is_account_id(text: str) -> bool:
    """Tell whether this is twelve ASCII digits."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def organizations_id(prefix: str, chance: bytes, length: int) -> str:
    """Return an id of AWS Organizations, such as `o-a1b2c3d4e5`: a prefix and `length` of a-z and 0-9 (24 bytes for 32)."""
    return f"{prefix}-{_characters(_LOWER_ALPHANUMERIC, chance, length)}"


def request_id(chance: bytes) -> str:
    """Return a random UUID (version 4, RFC 9562) from 16 bytes, as AWS's request ids look."""
    # Written here, as the standard library's class takes four times as long to say the same.
    text = chance.hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


def event_id(now: datetime, chance: bytes) -> UUID:
    """Return a time-ordered UUID (version 7, RFC 9562 section 5.7) from `now` in milliseconds and 10 bytes of chance.

    Events are stored in the order of their ids, so that writing one never touches a random page of an index.
    """
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(chance, "big") & (1 << 80) - 1
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return UUID(int=value)


def event_id_text(event_id: UUID) -> str:
    """Return an event's id as it is written, which is what `str` of it returns in twice the time."""
    text = f"{event_id.int:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_event_id(text: str) -> bool:
    """Tell whether a text is an event's id, written as records have it."""
    return _EVENT_ID.fullmatch(text) is not None


def first_event_id(moment: datetime) -> UUID:
    """Return the smallest event id of this millisecond: where a range of time begins among ordered ids."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def moment_of(event_id: UUID) -> datetime:
    """Return the time that an event's id begins with, in whole milliseconds."""
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)


def _characters(alphabet: str, chance: bytes, count: int) -> str:
    number = int.from_bytes(chance, "big")
    characters = []
    for _ in range(count):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return "".join(characters)
