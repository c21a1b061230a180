"""Forms: read within limits, each field as text, and each proved to come from a page of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hmac import compare_digest
from urllib.parse import parse_qsl

from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.translation import gettext

LARGEST = 64 * 1024
"""Bytes of a form at most; an attestation of a security key is the largest thing that comes in one."""

LARGEST_METADATA = 1024 * 1024
"""Bytes of a form that brings the metadata of a SAML provider, whose certificates make it long."""

LARGEST_RESPONSE = 160 * 1024
"""Bytes of a form that brings a SAML response, which strangers send."""

MOST_FIELDS = 200
TOKEN = "csrf"


_RESPONSES = re.compile(r"/start/[^/]+/saml/acs")
_METADATA = frozenset({"/console/identity-providers/create", "/console/identity-providers/metadata"})


class MalformedForm(ValueError):
    """The form can't be read."""


class Form:
    """What somebody sent: values by name, as they came."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def one(self, name: str) -> str:
        """Return a field's value, empty where it is absent; raises MalformedForm where it comes more than once."""
        values = self._values.get(name, [""])
        if len(values) != 1:
            raise MalformedForm(gettext("the field `%(name)s` comes more than once", name=name))
        return values[0]

    def all(self, name: str) -> list[str]:
        """Return every value of a field that may come more than once, such as the chosen rows of a table."""
        return list(self._values.get(name, []))

    def pairs(self) -> list[tuple[str, str]]:
        """Return every field with each of its values, for a form that is shown to be sent again."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def __contains__(self, name: str) -> bool:
        """Tell whether a field or button of this name was sent."""
        return name in self._values


def largest(path: str) -> int:
    """Return how many bytes a form sent to an address may have."""
    if is_from_elsewhere(path):
        return LARGEST_RESPONSE
    return LARGEST_METADATA if path in _METADATA else LARGEST


def is_from_elsewhere(path: str) -> bool:
    """Tell whether forms of other sites come to an address: responses of SAML providers, which browsers bring without cookies."""
    return _RESPONSES.fullmatch(path) is not None


def parse(body: bytes, content_type: str) -> Form:
    """Read a form (application/x-www-form-urlencoded, UTF-8); raises MalformedForm."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise MalformedForm(gettext("the form is not of the type that our pages send"))
    try:
        pairs = parse_qsl(
            # Browsers encode all that isn't ASCII by percent signs: other bytes are no form of a browser's.
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise MalformedForm(gettext("the form can't be read")) from error
    values: dict[str, list[str]] = {}
    # PostgreSQL keeps no null character in a text, and SQLite does: refused here, before the two differ.
    if any("\0" in value for _, value in pairs):
        raise MalformedForm(gettext("a field holds a null character"))
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Form(values)


def token(keyring: Keyring, binding: str) -> str:
    """Return what a form must bring: a keyed hash of the session or visit that it was made for."""
    # Computed, not kept: it holds on every node, ends with the session, and is worth nothing in another browser.
    return sealing.fingerprint(keyring, f"form of {binding}".encode(), purpose=Purpose.COOKIE).hex()


def is_ours(form: Form, keyring: Keyring, binding: str) -> bool:
    """Tell whether a form was made for this session or visit."""
    # Replaced, as a lone surrogate can't be encoded and must be a wrong token, not a fault.
    return compare_digest(form.one(TOKEN).encode("utf-8", "replace"), token(keyring, binding).encode())
