"""How the trail stands, in words: what was signed, witnessed and verified, and never more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request

from crownkeep.console.kit import calls, rendering, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.translation import gettext

CALL = Equivalent("trail", "GetIntegrity")


@dataclass(frozen=True, slots=True)
class TrailWitness:
    """One witness: its name, up to which record it has signed, and how long ago."""

    name: str
    size: int
    age: str


@dataclass(frozen=True, slots=True)
class TrailStanding:
    """The trail at a glance."""

    verified: str
    """When it was last verified in full and what was found; empty where nobody has recorded that."""
    is_sound: bool
    """Whether that found everything as it was."""
    checkpoint: str
    witnesses: list[TrailWitness]
    withheld: int
    sealed: int
    origin: str


async def ask(request: Request) -> TrailStanding | Refused:
    """Ask how the trail stands."""
    found = await calls.ask(request, CALL.service, CALL.operation)
    return found if isinstance(found, Refused) else _of(found, web.of(request).now)


def _of(found: Mapping[str, Any], now: datetime) -> TrailStanding:
    verification = found.get("LastVerification")
    return TrailStanding(
        "" if verification is None else _verified(verification),
        verification is not None and bool(verification["IsAsItWas"]),
        _signed(found, now),
        [TrailWitness(each["Name"], each["Size"], rendering.ago(each["SignedAt"], now)) for each in found["Witnesses"]],
        found["WithheldRecords"],
        found["SealedRecords"],
        found["Origin"],
    )


def _signed(found: Mapping[str, Any], now: datetime) -> str:
    checkpoint = found.get("Checkpoint")
    if checkpoint is None:
        return ""
    size, ago = f"{checkpoint['Size']:,}", rendering.ago(checkpoint["SignedAt"], now)
    if not found["Unsigned"]:
        return gettext("%(size)s records, signed %(ago)s", size=size, ago=ago)
    return gettext(
        "%(size)s records, signed %(ago)s, %(unsigned)s wait for the next", size=size, ago=ago, unsigned=found["Unsigned"]
    )


def _verified(verification: Mapping[str, Any]) -> str:
    at = f"{verification['VerifiedAt']:%Y-%m-%d %H:%M} UTC"
    size, findings = f"{verification['Size']:,}", f"{verification['Findings']:,}"
    if verification["IsAsItWas"]:
        return gettext("%(at)s: all %(size)s records were as recorded", at=at, size=size)
    return gettext("%(at)s: %(findings)s things were NOT as recorded", at=at, findings=findings)
