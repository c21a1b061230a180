"""The catalogue of AWS's actions, as the checks of policies ask for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import Action
from crownkeep.models import regions
from crownkeep.settings import RegisteredService


class KnownActions:
    """AWS's actions, resources and condition keys, and what the operator registered; satisfies `policy.ActionCatalogue`."""

    def __init__(self, registered: Sequence[RegisteredService] = ()) -> None:
        self._prefixes = frozenset(each.prefix.lower() for each in registered if each.prefix)
        self._keys = frozenset(key.lower() for each in registered for key in each.condition_keys)

    def has_service(self, prefix: str) -> bool:
        """Tell whether a service's actions begin with this prefix."""
        return actions.is_service(prefix) or prefix.lower() in self._prefixes

    def action_names(self, prefix: str) -> Collection[str]:
        """Return the names of a service's actions, in AWS's case."""
        return [action.name for action in actions.actions_of(prefix).values()]

    def condition_keys(self, action: str) -> Collection[str] | None:
        """Return the service's condition keys that an action fills in, those of its resources among them; None where unknown."""
        found = actions.action(action)
        return None if found is None else _keys(found)

    def key_type(self, key: str) -> str | None:
        """Return the type of a condition key: `String`, or `ArrayOfString` where a request can hold several values."""
        found = actions.condition_key(key)
        if found is None:
            return "String" if key.lower() in self._keys else None
        return f"ArrayOf{found.value_type.value}" if found.is_multivalued else found.value_type.value

    def has_region(self, name: str) -> bool:
        """Tell whether a Region of this name exists."""
        return name in regions.names()

    def resource_patterns(self, action: str) -> Collection[str]:
        """Return the ARN formats of what an action is done to, with `*` for what varies; nothing where it takes no resource."""
        found = actions.action(action)
        return [] if found is None else [each.arn_pattern for each in actions.resource_types(found)]


def _keys(action: Action) -> set[str]:
    keys = set(action.condition_keys)
    for acted in action.resources:
        keys.update(acted.condition_keys)
    for resource_type in actions.resource_types(action):
        keys.update(resource_type.condition_keys)
    return keys
