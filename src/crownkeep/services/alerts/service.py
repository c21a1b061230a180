"""The service's registration: its handlers say `@alerts.operation(...)`."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep.operations import registry

alerts = registry.Service("alerts", event_source="alerts.crownkeep", is_global=True)


def by_member(described: Mapping[str, object]) -> dict[str, object]:
    """Return what is described, by the model's member names."""
    return {name.title().replace("_", ""): value for name, value in described.items()}
