"""Organizational units: what accounts are sorted into, up to five levels deep, so that policies bind many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import clock, errors, ids
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging
from crownkeep.services.organizations import arns, entities, next_tokens, quotas, refusals
from crownkeep.services.organizations import tags as tagging
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import (
    organization_accounts,
    organization_policy_targets,
    organization_tags,
    organizational_units,
)
from crownkeep.storage.organizations.organizational_units import UnitRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_ID_LENGTH = 8
_ID_CHANCE = 16


@organizations.operation(
    "CreateOrganizationalUnit",
    resource=entities.parent,
    effect=Effect.STATE,
    tagging=Tagging(tagging.ACTION, entities.new_unit),
    caller=AllowedCaller.MANAGEMENT,
)
def create_organizational_unit(
    call: Call, organization: OrganizationRow, *, parent_id: str, name: str, tags: Sequence[Mapping[str, str]] = ()
) -> Result:
    """Make a unit under the root or another unit; its name is its own among its neighbours, whatever the letters' case."""
    wanted = tagging.checked(tags)
    entities.require_parent(call, organization, parent_id)
    way = organizational_units.way_to(call.db, organization.organization_id, parent_id)
    if len(way) > quotas.DEEPEST_UNIT:
        raise refusals.constraint("OU_DEPTH_LIMIT_EXCEEDED")
    if organizational_units.count(call.db, organization.organization_id) >= quotas.UNITS:
        raise refusals.constraint("OU_NUMBER_LIMIT_EXCEEDED")
    _require_free(call, organization, parent_id, name)
    row = UnitRow(
        unit_id=ids.organizations_id(f"ou-{organization.root_id.removeprefix('r-')}", clock.token_bytes(_ID_CHANCE), _ID_LENGTH),
        organization_id=organization.organization_id,
        account_id=call.account_id,
        parent_id=parent_id,
        name=name,
        name_key=name.lower(),
        created_at=call.now,
    )
    organizational_units.add(call.db, row)
    place = (call.db, organization.organization_id, call.account_id, row.unit_id)
    organization_policy_targets.attach_defaults(*place, at=call.now)
    organization_tags.put(*place, wanted)
    return {"OrganizationalUnit": _describe(organization, row, way)}


@organizations.operation("UpdateOrganizationalUnit", resource=entities.unit, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def update_organizational_unit(
    call: Call, organization: OrganizationRow, *, organizational_unit_id: str, name: str | None = None
) -> Result:
    """Give a unit another name; its id stays, and with it everything in it and attached to it."""
    row = entities.required_unit(call, organization, organizational_unit_id)
    if name is not None:
        if name.lower() != row.name_key:
            _require_free(call, organization, row.parent_id, name)
        organizational_units.rename(call.db, organization.organization_id, row.unit_id, name)
        row = entities.required_unit(call, organization, organizational_unit_id)
    return {"OrganizationalUnit": _describe_alone(call, organization, row)}


@organizations.operation("DeleteOrganizationalUnit", resource=entities.unit, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def delete_organizational_unit(call: Call, organization: OrganizationRow, *, organizational_unit_id: str) -> Result:
    """Delete a unit that holds no account and no other unit any more."""
    row = entities.required_unit(call, organization, organizational_unit_id)
    place = (call.db, organization.organization_id, row.unit_id)
    if organization_accounts.has_children(*place) or organizational_units.has_children(*place):
        raise errors.OrganizationalUnitNotEmpty(
            "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the "
            "operation again."
        )
    organization_policy_targets.remove_of_target(*place)
    organization_tags.remove_of_entity(*place)
    organizational_units.remove(*place)
    return NOTHING


@organizations.operation("DescribeOrganizationalUnit", resource=entities.unit, caller=AllowedCaller.ADMINISTRATOR)
def describe_organizational_unit(call: Call, organization: OrganizationRow, *, organizational_unit_id: str) -> Result:
    """Return a unit."""
    row = entities.required_unit(call, organization, organizational_unit_id)
    return {"OrganizationalUnit": _describe_alone(call, organization, row)}


@organizations.operation("ListOrganizationalUnitsForParent", resource=entities.parent, caller=AllowedCaller.ADMINISTRATOR)
def list_organizational_units_for_parent(
    call: Call, organization: OrganizationRow, *, parent_id: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the units directly under a root or unit by name."""
    entities.require_parent(call, organization, parent_id)
    found, more = next_tokens.page(
        call,
        list_name="ListOrganizationalUnitsForParent",
        filters=(parent_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: organizational_units.page(
            call.db, organization.organization_id, parent_id, after=after, limit=limit
        ),
        key=lambda row: row.name_key,
    )
    way = organizational_units.way_to(call.db, organization.organization_id, parent_id)
    return {"OrganizationalUnits": [_describe(organization, row, way) for row in found], **more}


def _require_free(call: Call, organization: OrganizationRow, parent_id: str, name: str) -> None:
    if organizational_units.named(call.db, organization.organization_id, parent_id, name) is not None:
        raise errors.DuplicateOrganizationalUnit("An OU with the same name already exists.")


def _describe_alone(call: Call, organization: OrganizationRow, row: UnitRow) -> dict[str, object]:
    way = organizational_units.way_to(call.db, organization.organization_id, row.parent_id)
    return _describe(organization, row, way)


def _describe(organization: OrganizationRow, row: UnitRow, way: Sequence[str]) -> dict[str, object]:
    """Return an `OrganizationalUnit`; `way` leads from the root to its parent."""
    return {
        "Id": row.unit_id,
        "Arn": arns.unit(arns.place_of(organization), row.unit_id),
        "Name": row.name,
        "Path": "/".join([row.organization_id, *way, row.unit_id, ""]),
    }
