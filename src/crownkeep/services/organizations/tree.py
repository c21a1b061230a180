"""The tree as a whole: its root, and what is directly above and below something in it."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.organizations import arns, entities, next_tokens
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import organization_accounts, organization_policy_types, organizational_units
from crownkeep.storage.organizations.organizations import OrganizationRow

ROOT_NAME = "Root"


@organizations.operation("ListRoots", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def list_roots(
    call: Call, organization: OrganizationRow, *, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """Return the root of the organization, with the types of policy that are enabled in it."""
    found, more = next_tokens.page(
        call,
        list_name="ListRoots",
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, _: [organization] if after < organization.root_id else [],
        key=lambda each: each.root_id,
    )
    return {"Roots": [describe_root(call, each) for each in found], **more}


@organizations.operation("ListParents", resource=entities.child, caller=AllowedCaller.ADMINISTRATOR)
def list_parents(
    call: Call, organization: OrganizationRow, *, child_id: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """Return the root or unit that an account or unit is directly under: there is always exactly one."""
    parent_id = _parent_of(call, organization, child_id)
    found, more = next_tokens.page(
        call,
        list_name="ListParents",
        filters=(child_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, _: [parent_id] if after < parent_id else [],
        key=lambda each: each,
    )
    return {"Parents": [{"Id": each, "Type": _parent_type(each)} for each in found], **more}


@organizations.operation("ListChildren", resource=entities.parent, caller=AllowedCaller.ADMINISTRATOR)
def list_children(
    call: Call,
    organization: OrganizationRow,
    *,
    parent_id: str,
    child_type: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """List the accounts, or the units, directly under a root or unit by id."""
    entities.require_parent(call, organization, parent_id)
    found, more = next_tokens.page(
        call,
        list_name="ListChildren",
        filters=(parent_id, child_type),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: _children(call, organization, parent_id, child_type, after, limit),
        key=lambda each: each,
    )
    return {"Children": [{"Id": each, "Type": child_type} for each in found], **more}


def describe_root(call: Call, organization: OrganizationRow) -> dict[str, object]:
    """Return the `Root` of an organization."""
    enabled = organization_policy_types.enabled(call.db, organization.organization_id)
    return {
        "Id": organization.root_id,
        "Arn": arns.root(arns.place_of(organization), organization.root_id),
        "Name": ROOT_NAME,
        "PolicyTypes": [{"Type": each, "Status": "ENABLED"} for each in enabled],
    }


def _children(call: Call, organization: OrganizationRow, parent_id: str, child_type: str, after: str, limit: int) -> list[str]:
    place = (call.db, organization.organization_id, parent_id)
    if child_type == "ACCOUNT":
        found = organization_accounts.page_under(*place, after=after, limit=limit)
        return [each.member.account_id for each in found]
    return organizational_units.page_of_ids(*place, after=after, limit=limit)


def _parent_of(call: Call, organization: OrganizationRow, child_id: str) -> str:
    unit = organizational_units.with_id(call.db, organization.organization_id, child_id)
    if unit is not None:
        return unit.parent_id
    account = organization_accounts.within(call.db, organization.organization_id, child_id)
    if account is None:
        raise errors.ChildNotFound("You specified a child that doesn't exist.")
    return account.member.parent_id


def _parent_type(parent_id: str) -> str:
    return "ORGANIZATIONAL_UNIT" if parent_id.startswith("ou-") else "ROOT"
