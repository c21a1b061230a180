"""Parameters and answers as a record may hold them: in CloudTrail's spelling, and without secrets.

What AWS's model marks as sensitive is hidden, and so is all that this table names; passwords, codes, seeds, secret keys and
tokens never reach a record, an error or a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache

from crownkeep.models import Shape, lower_camel

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

_SECRET_MEMBERS = frozenset(
    {
        "AuthenticationCode1",
        "AuthenticationCode2",
        "AuthorizationCode",
        "Base32StringSeed",
        "ClientSecret",
        "NewPassword",
        "OldPassword",
        "Otp",
        "Password",
        "PrivateKey",
        "QRCodePNG",
        "RecoveryCodes",
        "SAMLAssertion",
        "SecretAccessKey",
        "ServiceApiKeyValue",
        "ServiceCredentialSecret",
        "ServicePassword",
        "SessionToken",
        "TokenCode",
        "UserCode",
        "WebIdentityToken",
        "code",
        "codeVerifier",
        "deviceCode",
        "idToken",
        "refreshToken",
        "userCode",
    }
)

# Who asks is in the record, and no parameter: AWS records none of such headers.
_UNRECORDED_MEMBERS = frozenset({"BearerToken"})

# Where alerts go: whoever knows the path of a webhook of Slack's or Teams' can write there, but its host is worth knowing.
_ADDRESS_MEMBERS = frozenset({"Target", "target"})

# CloudTrail records none of the parameters of these (both are secret).
_UNRECORDED_PARAMETERS = frozenset({"ChangePassword", "ChangeRootPassword"})

_LONGEST_LIST = 1000
_NONE: frozenset[str] = frozenset()
_OMITTED_IN_ANSWERS = _SECRET_MEMBERS - {"SessionToken"}
_SUMMARY_MEMBERS = 16
_SUMMARY_TEXT = 128


def parameters(operation: str, values: Mapping[str, object], shape: Shape | None) -> dict[str, object] | None:
    """Return an operation's parameters for its record, or None where CloudTrail keeps none."""
    if operation in _UNRECORDED_PARAMETERS or not values or shape is None:
        return None
    return _structure(values, shape)


def for_approval(values: Mapping[str, object]) -> dict[str, object]:
    """Return parameters for those who approve an act: whole, with e-mail addresses and all, but without what is secret."""
    return {str(name): HIDDEN if name in _SECRET_MEMBERS else _whole(value) for name, value in values.items()}


def _whole(value: object) -> object:
    match value:
        case Mapping():
            return for_approval(value)
        case list() | tuple():
            return [_whole(each) for each in value]
        case _:
            return value


def summary(kept: Mapping[str, object]) -> dict[str, object]:
    """Return the beginnings of the first few texts and numbers among parameters: at most 2 kB, whatever a stranger sent."""
    shortened: dict[str, object] = {}
    for name, value in list(kept.items())[:_SUMMARY_MEMBERS]:
        if isinstance(value, str):
            shortened[name] = value[:_SUMMARY_TEXT]
        elif isinstance(value, bool | int | float):
            shortened[name] = value
    return shortened


def response(values: Mapping[str, object], shape: Shape | None) -> dict[str, object] | None:
    """Return a change's result for its record; of secrets only the session token is mentioned, as in CloudTrail's."""
    if not values or shape is None:
        return None
    return _structure(values, shape, omitted=_OMITTED_IN_ANSWERS)


def without_path(address: str) -> str:
    """Return an address with all hidden that follows an URL's host, or stands before it; what is no URL is kept."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    ends = re.search(r"[/?#\\]", rest)
    host = rest[: ends.start()] if ends is not None else rest
    hidden = f"/{HIDDEN}" if ends is not None and len(rest) > len(host) + 1 else ""
    return f"{scheme}://{host.rpartition('@')[2]}{hidden}"


class _How(Enum):
    """What of a member is kept."""

    VALUE = "its value"
    HOST = "the host that it names"
    NOTHING = "that it was there"


def _structure(values: Mapping[str, object], shape: Shape, *, omitted: frozenset[str] = _NONE) -> dict[str, object]:
    kept: dict[str, object] = {}
    members = _members(shape, omitted)
    for name, value in values.items():
        found = members.get(name)
        if found is None or value is None:
            continue
        written, how, inner = found
        if how is _How.HOST and isinstance(value, str):
            kept[written] = without_path(value)
        elif how is _How.NOTHING or inner.sensitive:
            kept[written] = HIDDEN
        else:
            kept[written] = _value(value, inner, omitted)
    return kept


# Worked out once for each shape of the models: every change has its parameters and its answer kept.
@cache
def _members(shape: Shape, omitted: frozenset[str]) -> Mapping[str, tuple[str, _How, Shape]]:
    """Return of each member that is kept its name in records, what of it is kept, and its shape."""
    return {
        name: (lower_camel(name), _how(name, member.shape), member.shape)
        for name, member in shape.members.items()
        if name not in omitted and name not in _UNRECORDED_MEMBERS
    }


def _how(name: str, shape: Shape) -> _How:
    # An address that is sensitive, too, is one that may be shown as far as its host.
    if name in _ADDRESS_MEMBERS:
        return _How.HOST
    return _How.NOTHING if name in _SECRET_MEMBERS or shape.sensitive else _How.VALUE


def _value(value: object, shape: Shape, omitted: frozenset[str]) -> object:
    match value:
        # First what is most and costs least to tell: whether something is a mapping is asked of a function of Python's.
        case str() | int() | float():
            return value
        case dict() | Mapping() if shape.type == "structure":
            return _structure(value, shape, omitted=omitted)
        case dict() | Mapping() if shape.value is not None:
            return {str(key): _value(item, shape.value.shape, omitted) for key, item in value.items()}
        case list() | tuple() if shape.member is not None:
            inner = shape.member.shape
            return [HIDDEN if inner.sensitive else _value(item, inner, omitted) for item in value[:_LONGEST_LIST]]
        case datetime():
            return java_date(value)
        case bytes():
            return HIDDEN
        case _:
            return str(value)


def java_date(value: datetime) -> str:
    """Write a date as it stands in CloudTrail's elements: `Oct 25, 2024, 9:07:11 PM`."""
    half = "AM" if value.hour < 12 else "PM"
    date = f"{_MONTHS[value.month - 1]} {value.day}, {value.year}"
    return f"{date}, {value.hour % 12 or 12}:{value.minute:02}:{value.second:02} {half}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
