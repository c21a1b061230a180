"""The catalogue of AWS's actions, as the checks of policies ask for it: the reference's, and those of the installed models.

AWS's reference lists an operation weeks after the service has it. What the models of the services that we speak know is an
action, or a policy that allows what is served here would be called wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from crownkeep import models
from crownkeep.catalogue import actions, service_principals
from crownkeep.catalogue.actions import Action
from crownkeep.models import regions
from crownkeep.settings import RegisteredService

_ELSEWHERE = frozenset({"GetFindingV2", "ListFindingsV2"})
"""Operations that are decided on as others, as GetFinding and ListFindings (service authorization reference)."""


class KnownActions:
    """AWS's actions, resources and condition keys, and what the operator registered; satisfies `policy.ActionCatalogue`."""

    def __init__(self, registered: Sequence[RegisteredService] = ()) -> None:
        self._registered = tuple(registered)
        self._prefixes = frozenset(each.prefix.lower() for each in registered if each.prefix)
        self._keys = frozenset(key.lower() for each in registered for key in each.condition_keys)

    def has_service(self, prefix: str) -> bool:
        """Tell whether a service's actions begin with this prefix."""
        return actions.is_service(prefix) or prefix.lower() in self._prefixes

    def action_names(self, prefix: str) -> Collection[str]:
        """Return the names of a service's actions, in AWS's case."""
        listed = actions.actions_of(prefix)
        newer = [name for name in _modelled(prefix) if name.lower() not in listed]
        return [action.name for action in listed.values()] + newer

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

    def has_service_principal(self, name: str) -> bool:
        """Tell whether a service, AWS's or one that was registered, has this principal."""
        return service_principals.is_known(name, self._registered)

    def arn_patterns(self, service: str) -> Collection[str]:
        """Return the ARN formats of a service's resources, with `*` for what varies; none where they are not known."""
        return [each.arn_pattern for each in actions.resource_types_of(service).values()]

    def service_keys(self, prefix: str) -> Collection[str] | None:
        """Return the condition keys that a service's actions or resources fill in, in lower case; None where unknown."""
        return actions.condition_keys_of(prefix) if actions.is_service(prefix) else None

    def resource_patterns(self, action: str) -> Collection[str] | None:
        """Return the ARN formats of what an action is done to, with `*` for what varies; None where that is not known."""
        found = actions.action(action)
        return None if found is None else [each.arn_pattern for each in actions.resource_types(found)]


def _modelled(prefix: str) -> Collection[str]:
    """Return the operations that a service's installed model has and somebody signs for."""
    return _operations().get(prefix.lower(), ())


@cache
def _operations() -> Mapping[str, Collection[str]]:
    """Return the operations of the services that are spoken, by the prefix of their actions, which requests are signed for."""
    found: dict[str, list[str]] = {}
    for name in models.SERVICES:
        model = models.service(name)
        signed = [each.name for each in model.operations.values() if each.auth != "none" and each.name not in _ELSEWHERE]
        found.setdefault(model.signing_names[0], []).extend(signed)
    return found


def _keys(action: Action) -> set[str]:
    keys = set(action.condition_keys)
    for acted in action.resources:
        keys.update(acted.condition_keys)
    for resource_type in actions.resource_types(action):
        keys.update(resource_type.condition_keys)
    return keys
