"""A person as SCIM and as the identity store's API have them: one table says which attributes there are, and no others are taken.

What isn't in the table is refused, so that nobody provisions a password, a status or a group by naming it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crownkeep import models
from crownkeep.domain.single_sign_on import directory
from crownkeep.operations import model_limits
from crownkeep.services.scim import bodies
from crownkeep.services.scim.bodies import ENTERPRISE, Json
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow

TEXTS = ("userName", "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone")
NAME = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
LISTS: Mapping[str, tuple[str, ...]] = {
    "emails": ("value", "type"),
    "phoneNumbers": ("value", "type"),
    "addresses": ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"),
    "roles": ("value", "type"),
}
"""Attributes with several values, of which one is taken (Identity Center's limitations), with what each has."""
EXTENSION = ("employeeNumber", "costCenter", "organization", "division", "department")
_READ_ONLY = ("schemas", "id", "meta")
_IN_STORE = "aws:identitystore:enterprise"
_LONGEST_EXTERNAL_ID = 256
_LONGEST_EXTENSION = 1024


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A person as another directory wants them."""

    held: Mapping[str, Any]
    """By the names of the identity store's API."""
    external_id: str | None
    is_active: bool


def person_in(resource: Mapping[str, Any]) -> Provisioned:
    """Return what a resource says of a person; raises ValidationException for anything that isn't taken."""
    held: Json = {}
    external_id, is_active = None, True
    for name, value in resource.items():
        if name in _READ_ONLY or value is None or (name == "groups" and value == []):
            continue
        if name in TEXTS:
            held[_pascal(name)] = _text(name, value)
        elif name == "name":
            held["Name"] = _texts(name, value, NAME)
        elif name in LISTS:
            held |= _single(name, value)
        elif name == ENTERPRISE:
            held |= _extended(value)
        elif name == "externalId":
            external_id = _external_id(value)
        elif name == "active":
            is_active = _boolean(name, value)
        else:
            raise bodies.unparsable(f"the attribute {name[:64]} is not supported")
    violations = [
        each for each in model_limits.violations(models.service("identitystore").shapes["User"], held) if each.kind != "required"
    ]
    if violations:
        raise bodies.unparsable(violations[0].text)
    return Provisioned(held, external_id, is_active)


def person(row: DirectoryUserRow, endpoint: str) -> Json:
    """Return a person as a resource."""
    held = directory.held(row)
    shown: Json = {"id": row.user_id, "externalId": row.external_id}
    shown |= {name: held.get(_pascal(name)) for name in TEXTS}
    shown["name"] = {name: each for name in NAME if (each := held.get("Name", {}).get(_pascal(name))) is not None} or None
    for name, parts in LISTS.items():
        shown[name] = [
            {part: each[_pascal(part)] for part in (*parts, "primary") if _pascal(part) in each}
            for each in held.get(_pascal(name), ())
        ] or None
    extension = held.get("Extensions", {}).get(_IN_STORE)
    shown |= {"active": row.is_active, ENTERPRISE: extension, "meta": _meta(row, "User", f"{endpoint}/Users/{row.user_id}")}
    schemas = [bodies.USER, ENTERPRISE] if extension else [bodies.USER]
    return {"schemas": schemas, **{name: value for name, value in shown.items() if value is not None}}


def group(row: DirectoryGroupRow, endpoint: str) -> Json:
    """Return a group as a resource; its list of members stays empty, as AWS's does: a group may have any number."""
    shown: Json = {"schemas": [bodies.GROUP], "id": row.group_id, "displayName": row.display_name, "members": []}
    if row.external_id is not None:
        shown["externalId"] = row.external_id
    return {**shown, "meta": _meta(row, "Group", f"{endpoint}/Groups/{row.group_id}")}


def external_id_in(value: object) -> str | None:
    """Return an external id, None where it is taken away."""
    return None if value is None else _external_id(value)


def _meta(row: DirectoryUserRow | DirectoryGroupRow, kind: str, location: str) -> Json:
    created, changed = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (row.created_at, row.updated_at))
    return {"resourceType": kind, "created": created, "lastModified": changed, "location": location}


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise bodies.unparsable(f"{name} is a text")
    return value


def _boolean(name: str, value: object) -> bool:
    # Some directories send the words.
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise bodies.unparsable(f"{name} is true or false")
    return value


def _texts(name: str, value: object, parts: Sequence[str]) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) - set(parts):
        raise bodies.unparsable(f"{name} has {', '.join(parts)}")
    return {_pascal(part): _text(f"{name}.{part}", each) for part, each in value.items() if each is not None}


def _single(name: str, value: object) -> dict[str, list[dict[str, object]]]:
    if not isinstance(value, list) or len(value) > 1 or not all(isinstance(each, dict) for each in value):
        raise bodies.unparsable(f"{name} is a list of one value")
    if not value:
        return {}
    given = dict(value[0])
    primary = given.pop("primary", None)
    kept: dict[str, object] = dict(_texts(name, given, LISTS[name]))
    if primary is not None:
        kept["Primary"] = _boolean(f"{name}.primary", primary)
    if name == "emails" and kept and kept.get("Primary") is not True:
        raise bodies.unparsable("the value of emails must be marked as primary")
    return {_pascal(name): [kept]} if kept else {}


def _extended(value: object) -> dict[str, object]:
    if not isinstance(value, dict) or set(value) - {*EXTENSION, "manager"}:
        raise bodies.unparsable(f"the enterprise extension has {', '.join(EXTENSION)} and manager")
    kept: Json = {name: _text(name, each) for name, each in value.items() if name != "manager" and each is not None}
    manager = value.get("manager")
    if isinstance(manager, str):
        manager = {"value": manager}
    if manager:
        if not isinstance(manager, dict) or set(manager) - {"value", "$ref"}:
            raise bodies.unparsable("manager has value")
        kept["manager"] = {"value": _text("manager.value", manager.get("value"))}
    if any(len(each) > _LONGEST_EXTENSION for each in (*_flat(kept),)):
        raise bodies.unparsable(f"attributes of the enterprise extension have at most {_LONGEST_EXTENSION:,} characters")
    return {"Extensions": {_IN_STORE: kept}} if kept else {}


def _flat(kept: Json) -> list[str]:
    return [each if isinstance(each, str) else each["value"] for each in kept.values()]


def _external_id(value: object) -> str:
    found = _text("externalId", value)
    if not 1 <= len(found) <= _LONGEST_EXTERNAL_ID:
        raise bodies.unparsable(f"externalId has 1 to {_LONGEST_EXTERNAL_ID} characters")
    return found
