"""Groups, as another directory provisions them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain.single_sign_on import directory, scim_bearers
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.services.scim import bearers, bodies, memberships, pages, patches, recorded, resources
from crownkeep.services.scim.pages import Listing, ListingAsked
from crownkeep.services.scim.patches import Patch
from crownkeep.services.scim.service import scim
from crownkeep.storage.single_sign_on import directory_groups, directory_memberships
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_KNOWN = {
    "displayname": "displayName",
    "externalid": "externalId",
    "id": "id",
    "members": "members",
    "member": "members",
    "members.value": "members",
}
_TOGETHER = [frozenset(each) for each in (("displayName",), ("externalId",), ("id",), ("members",), ("id", "members"))]
_TAKEN = {"schemas", "id", "meta", "displayName", "externalId", "members"}
_LONGEST_NAME = 1024


@scim.operation("CreateGroup", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def create_group(call: Call, *, tenant_id: str, bearer_token: str | None = None, http_body: bytes | None = None) -> Result:
    """Make a group, with up to 100 people in it."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    given = recorded.read(call, http_body, bodies.GROUP)
    if set(given) - _TAKEN:
        raise bodies.unparsable(f"the attribute {min(set(given) - _TAKEN)[:64]} is not supported")
    external_id = resources.external_id_in(given.get("externalId"))
    # Everything is read before anything is made, so that a fault in the last member makes no group.
    members = memberships.ids_in(given.get("members") or [])
    made = directory.make_group(call, instance, _name(given.get("displayName")), by=bearers.by(instance), external_id=external_id)
    memberships.put(call, instance, made.group_id, members)
    call.notes.resources.append(("AWS::IdentityStore::Group", made.group_id))
    endpoint = scim_bearers.endpoint(call.settings.url, instance)
    resource = resources.group(made, endpoint)
    recorded.note_answer(call, made, resource)
    return bodies.sent(resource, location=f"{endpoint}/Groups/{made.group_id}")


@scim.operation("GetGroup", resource=no_resource, permission=Permission.NONE)
def get_group(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None) -> Result:
    """Return a group, without its members."""
    instance = bearers.reading(call, tenant_id, bearer_token)
    row = _required(call, instance, id)
    return bodies.sent(resources.group(row, scim_bearers.endpoint(call.settings.url, instance)))


@scim.operation("ListGroups", resource=no_resource, permission=Permission.NONE)
def list_groups(
    call: Call,
    *,
    tenant_id: str,
    bearer_token: str | None = None,
    filter: str | None = None,
    count: str | None = None,
    cursor: str | None = None,
) -> Result:
    """List groups, or find some by a filter."""
    return pages.answer(call, _LISTING, ListingAsked(tenant_id, bearer_token, filter, count, cursor))


@scim.operation("PatchGroup", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def patch_group(
    call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None, http_body: bytes | None = None
) -> Result:
    """Rename a group, or change who is in it: all that is asked for, or nothing of it."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    row = _required(call, instance, id)
    columns: dict[str, Any] = {}
    changes = 0
    # In their order, as RFC 7644 (3.5.2) has it: a later operation sees what an earlier one did.
    for each in patches.read(recorded.read(call, http_body, bodies.PATCH)):
        if each.path.lower().startswith("members") or (isinstance(each.value, dict) and "members" in each.value):
            changes += memberships.apply(call, instance, row.group_id, each)
        else:
            columns |= _columns(each)
    if changes > patches.MOST:
        raise bodies.unparsable(f"at most {patches.MOST} members are changed in one request")
    if columns:
        directory.change_group(call, row, by=bearers.by(instance), **columns)
    return NOTHING


@scim.operation("DeleteGroup", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def delete_group(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None) -> Result:
    """Delete a group: what its people could take through it they can't take any more."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    directory.delete_group(call, instance, _required(call, instance, id))
    return NOTHING


def _columns(patch: Patch) -> dict[str, Any]:
    """Return what an operation makes of a group's own attributes."""
    given = {patch.path: patch.value} if patch.path else patch.value
    if not isinstance(given, dict):
        raise bodies.unparsable("without a path, value has attributes by their names")
    columns: dict[str, Any] = {}
    for name, value in given.items():
        if name == "displayName" and patch.verb != "remove":
            columns["display_name"] = _name(value)
        elif name == "externalId":
            columns["external_id"] = None if patch.verb == "remove" else resources.external_id_in(value)
        # Clients send these back as they were given them; they are read-only, and what is sent of them is ignored.
        elif name not in ("id", "schemas", "meta"):
            raise bodies.unparsable(f"the attribute {name[:64]} can't be changed")
    return columns


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_NAME:
        raise bodies.unparsable(f"displayName has 1 to {_LONGEST_NAME:,} characters")
    return value


def _required(call: Call, instance: InstanceRow, group_id: str) -> DirectoryGroupRow:
    row = directory_groups.with_id(call.db, instance.identity_store_id, group_id)
    if row is None:
        raise errors.ResourceNotFound("Group not found.")
    call.notes.resources.append(("AWS::IdentityStore::Group", row.group_id))
    return row


def _filtered(call: Call, instance: InstanceRow, asked: dict[str, str]) -> Sequence[DirectoryGroupRow]:
    store_id = instance.identity_store_id
    if "displayName" in asked:
        found = directory_groups.named(call.db, store_id, asked["displayName"])
    elif "externalId" in asked:
        found = directory_groups.with_external_id(call.db, store_id, asked["externalId"])
    elif "id" in asked:
        found = directory_groups.with_id(call.db, store_id, asked["id"])
        if found is not None and "members" in asked:
            between = {"group_id": found.group_id, "user_id": asked["members"]}
            found = found if directory_memberships.between(call.db, store_id, **between) is not None else None
    else:
        return directory_groups.of_member(call.db, store_id, asked["members"], limit=bodies.MOST_RESULTS)
    return [] if found is None else [found]


_LISTING = Listing(
    "ScimGroups",
    _KNOWN,
    _TOGETHER,
    filtered=_filtered,
    fetch=lambda call, instance, after, limit: directory_groups.page(
        call.db, instance.identity_store_id, after=after, limit=limit
    ),
    key=lambda row: row.group_id,
    shown=resources.group,
)
