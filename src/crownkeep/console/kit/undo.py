"""Undo: the calls that take a change back, offered on the page after it, to the session that made the change and nobody else.

What is offered stands in the page's address, sealed for the session: a link from elsewhere can't put a button there.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest

from starlette.requests import Request

from crownkeep import base64url
from crownkeep.console.kit import web
from crownkeep.console.kit.equivalents import Equivalent

LONGEST = 1500
"""Characters of an address that an offer may take; a change whose undoing is longer is not offered to be undone."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a change back, and the page to go to then."""

    calls: tuple[Equivalent, ...]
    then: str
    token: str


def offer(request: Request, wanted: Sequence[Equivalent], *, then: str) -> str:
    """Write an offer for an address; empty where there is nothing to offer, or it is too long."""
    if not wanted:
        return ""
    answer = {"then": then, "calls": [[each.service, each.operation, each.parameters] for each in wanted]}
    text = base64url.encode(json.dumps(answer, separators=(",", ":")).encode())
    token = f"{text}.{_seal(request, text)}"
    return token if len(token) <= LONGEST else ""


def read(request: Request, token: str) -> Undo | None:
    """Read an offer; None for one that was not made to this session."""
    text, _, seal = token.partition(".")
    # The seal before anything is read: what is decoded below was written by this server.
    if not text or not compare_digest(seal.encode("utf-8", "replace"), _seal(request, text).encode()):
        return None
    try:
        answer = json.loads(base64url.decode(text))
    except (binascii.Error, ValueError):
        return None
    return Undo(tuple(Equivalent(*each) for each in answer["calls"]), answer["then"], token)


def _seal(request: Request, text: str) -> str:
    return web.seal(request, f"undo {text}")
