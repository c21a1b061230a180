"""Organization policies worth having, ready to be attached: documents of our own for what AWS's guides recommend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).parent / "organization_presets.json"


class _Entry(msgspec.Struct):
    name: str
    title: str
    description: str
    type: str
    document: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Preset:
    """One policy and what it is for."""

    name: str
    title: str
    description: str
    type: str
    """Such as `SERVICE_CONTROL_POLICY`."""
    content: str
    """The document, laid out over lines for people."""


@cache
def presets() -> tuple[Preset, ...]:
    """Return all of them, in the order in which they are shown."""
    entries = msgspec.json.decode(_FILE.read_bytes(), type=list[_Entry])
    return tuple(
        Preset(each.name, each.title, each.description, each.type, msgspec.json.format(bytes(each.document), indent=2).decode())
        for each in entries
    )


def preset(name: str) -> Preset | None:
    """Return the one with this name."""
    return next((each for each in presets() if each.name == name), None)
