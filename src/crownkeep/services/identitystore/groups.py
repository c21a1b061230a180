"""Groups of an identity store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments, directory
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.identitystore import attributes, targets
from crownkeep.services.identitystore.service import identity_store
from crownkeep.storage.single_sign_on import directory_groups
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

Structure = Mapping[str, Any]


def found_group(call: Call, *, identity_store_id: str, alternate_identifier: Structure, **_: object) -> Target:
    """The group that an alternate identifier names, or any where there is none."""
    instance = targets.find(call, identity_store_id).instance
    row = None if instance is None else _alternate(call, instance, alternate_identifier)
    found = targets.InStore(instance, group=row)
    return targets.about(call, identity_store_id, found, targets.group_arn(row.group_id if row else "*"))


@identity_store.operation("CreateGroup", resource=targets.store, effect=Effect.STATE)
def create_group(
    call: Call, *, identity_store_id: str, display_name: str | None = None, description: str | None = None
) -> Result:
    """Make a group with nobody in it."""
    instance = targets.required_store(call, identity_store_id)
    if display_name is None:
        raise errors.ServiceValidation("displayName is a required attribute")
    row = directory.make_group(call, instance, display_name, by=call.principal.arn, description=description)
    return _named(row)


@identity_store.operation("DescribeGroup", resource=targets.group)
def describe_group(call: Call, *, identity_store_id: str, group_id: str) -> Result:
    """Return a group."""
    return _describe(required(call, identity_store_id, group_id))


@identity_store.operation("ListGroups", resource=targets.all_groups)
def list_groups(
    call: Call,
    *,
    identity_store_id: str,
    max_results: int | None = None,
    next_token: str | None = None,
    filters: Sequence[Mapping[str, str]] = (),
) -> Result:
    """List the groups of a store, or the one with the display name that a filter asks for."""
    instance = targets.required_store(call, identity_store_id)
    if filters:
        return {"Groups": [_describe(row) for row in _filtered(call, instance.identity_store_id, filters)]}
    listed, more = next_tokens.page(
        call,
        list_name="ListGroups",
        filters=(instance.identity_store_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: directory_groups.page(call.db, instance.identity_store_id, after=after, limit=limit),
        key=lambda row: row.group_id,
    )
    return {"Groups": [_describe(row) for row in listed], **more}


@identity_store.operation("UpdateGroup", resource=targets.group, effect=Effect.STATE)
def update_group(
    call: Call, *, identity_store_id: str, group_id: str, operations: Sequence[Structure], revision: str | None = None
) -> Result:
    """Change a group's display name or description; with a revision, only where nobody has changed anything since."""
    row = changeable(call, identity_store_id, group_id)
    targets.require_revision(revision, row.revision)
    before = {"DisplayName": row.display_name, "Description": row.description}
    held = {name: value for name, value in before.items() if value is not None}
    held = attributes.changed(held, operations, identity_store.model.shapes["Group"])
    if "DisplayName" not in held:
        raise errors.ServiceValidation("displayName is a required attribute")
    named = {"display_name": held["DisplayName"], "description": held.get("Description")}
    after = directory.change_group(call, row, by=call.principal.arn, **named)
    return _named(after)


@identity_store.operation("DeleteGroup", resource=targets.group, effect=Effect.STATE)
def delete_group(call: Call, *, identity_store_id: str, group_id: str, revision: str | None = None) -> Result:
    """Delete a group: what its people could take through it they can't take any more."""
    instance = targets.required_store(call, identity_store_id)
    row = changeable(call, identity_store_id, group_id)
    targets.require_revision(revision, row.revision)
    directory.delete_group(call, instance, row)
    return NOTHING


@identity_store.operation("GetGroupId", resource=found_group)
def get_group_id(call: Call, *, identity_store_id: str, alternate_identifier: Structure) -> Result:
    """Return the id of the group with this display name."""
    instance = targets.required_store(call, identity_store_id)
    row = targets.targeted(call).group
    if row is None:
        asked = alternate_identifier.get("UniqueAttribute")
        if asked is not None and asked["AttributePath"].lower() != "displayname":
            raise errors.ServiceValidation(f"The attribute {asked['AttributePath']} is not a unique attribute")
        raise targets.not_found("GROUP", "")
    shown = {"GroupId": row.group_id, "GroupArn": targets.group_arn(row.group_id)}
    return {"IdentityStoreId": instance.identity_store_id, **shown}


def required(call: Call, identity_store_id: str, group_id: str) -> DirectoryGroupRow:
    """Return the group that the call was decided on; raises ResourceNotFoundException where there is none."""
    targets.required_store(call, identity_store_id)
    row = targets.targeted(call).group
    if row is None:
        raise targets.not_found("GROUP", targets.id_of(group_id))
    return row


def changeable(call: Call, identity_store_id: str, group_id: str) -> DirectoryGroupRow:
    """Return a group for a change; raises AccessDenied where a delegated administrator would reach the management account."""
    row = required(call, identity_store_id, group_id)
    assignments.require_people_within_reach(call, targets.required_store(call, identity_store_id), [row.group_id])
    return row


def _alternate(call: Call, instance: InstanceRow, identifier: Structure) -> DirectoryGroupRow | None:
    asked = identifier.get("UniqueAttribute")
    if asked is None or asked["AttributePath"].lower() != "displayname":
        return None
    value = asked.get("AttributeValue")
    return directory_groups.named(call.db, instance.identity_store_id, value) if isinstance(value, str) else None


def _filtered(call: Call, store_id: str, filters: Sequence[Mapping[str, str]]) -> list[DirectoryGroupRow]:
    path, value = filters[0]["AttributePath"], filters[0]["AttributeValue"]
    if path.lower() != "displayname":
        raise errors.ServiceValidation(f"The attribute {path} can't be filtered by: DisplayName can.")
    found = directory_groups.named(call.db, store_id, value)
    return [] if found is None else [found]


def _named(row: DirectoryGroupRow) -> Result:
    return {
        "IdentityStoreId": row.identity_store_id,
        "GroupId": row.group_id,
        "GroupArn": targets.group_arn(row.group_id),
        "Revision": str(row.revision),
    }


def _describe(row: DirectoryGroupRow) -> dict[str, object]:
    return {
        **_named(row),
        "DisplayName": row.display_name,
        **({"Description": row.description} if row.description is not None else {}),
        "CreatedAt": row.created_at,
        "CreatedBy": row.created_by,
        "UpdatedAt": row.updated_at,
        "UpdatedBy": row.updated_by,
    }
