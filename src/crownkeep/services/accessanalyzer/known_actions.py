"""The catalogue of AWS's actions, as the checks of policies ask for it."""

from __future__ import annotations

from collections.abc import Collection

from crownkeep.catalogue import actions
from crownkeep.catalogue.actions import Action


class KnownActions:
    """AWS's actions, resources and condition keys; satisfies `policy.ActionCatalogue`."""

    def has_service(self, prefix: str) -> bool:
        """Answer whether a service's actions begin with this prefix."""
        return actions.is_service(prefix)

    def action_names(self, prefix: str) -> Collection[str]:
        """Answer the names of a service's actions, in AWS's case."""
        return [action.name for action in actions.actions_of(prefix).values()]

    def condition_keys(self, action: str) -> Collection[str] | None:
        """Answer the service's condition keys that an action fills in, those of its resources among them; None where unknown."""
        found = actions.action(action)
        return None if found is None else _keys(found)

    def key_type(self, key: str) -> str | None:
        """Answer the type of a condition key: `String`, or `ArrayOfString` where a request can hold several values."""
        found = actions.condition_key(key)
        if found is None:
            return None
        return f"ArrayOf{found.value_type.value}" if found.is_multivalued else found.value_type.value

    def resource_patterns(self, action: str) -> Collection[str]:
        """Answer the ARN formats of what an action is done to, with `*` for what varies; nothing where it takes no resource."""
        found = actions.action(action)
        return [] if found is None else [each.arn_pattern for each in actions.resource_types(found)]


KNOWN_ACTIONS = KnownActions()


def _keys(action: Action) -> set[str]:
    keys = set(action.condition_keys)
    for acted in action.resources:
        keys.update(acted.condition_keys)
    for resource_type in actions.resource_types(action):
        keys.update(resource_type.condition_keys)
    return keys
