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
    checkpoint, verification = found.get("Checkpoint"), found.get("LastVerification")
    signed = ""
    if checkpoint is not None:
        waiting = f", {found['Unsigned']} wait for the next" if found["Unsigned"] else ""
        signed = f"{checkpoint['Size']:,} records, signed {rendering.ago(checkpoint['SignedAt'], now)}{waiting}"
    verified = ""
    if verification is not None:
        at, size, findings = verification["VerifiedAt"], verification["Size"], verification["Findings"]
        what = (
            f"all {size:,} records were as recorded" if verification["IsAsItWas"] else f"{findings:,} things were NOT as recorded"
        )
        verified = f"{at:%Y-%m-%d %H:%M} UTC: {what}"
    return TrailStanding(
        verified,
        verification is not None and bool(verification["IsAsItWas"]),
        signed,
        [TrailWitness(each["Name"], each["Size"], rendering.ago(each["SignedAt"], now)) for each in found["Witnesses"]],
        found["WithheldRecords"],
        found["SealedRecords"],
        found["Origin"],
    )
