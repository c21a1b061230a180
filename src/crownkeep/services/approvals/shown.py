"""Requests as this service shows them: by AWS's spelling of names."""

from __future__ import annotations

from collections.abc import Mapping


def pascal(described: Mapping[str, object]) -> dict[str, object]:
    """Return what is named in snake case by names such as `RequestId`, to any depth."""
    return {"".join(part.capitalize() for part in name.split("_")): _value(value) for name, value in described.items()}


def _value(value: object) -> object:
    match value:
        case Mapping():
            return pascal(value)
        case list():
            return [_value(each) for each in value]
        case _:
            return value
