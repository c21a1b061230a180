"""Applications: account access is enabled for an organization's instance, once, and entitlements are made in it."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import access_applications, assignments, instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target, everything
from crownkeep.services.account_access import application_tags, targets
from crownkeep.services.account_access.service import account_access
from crownkeep.storage.single_sign_on import access_applications as access_application_rows
from crownkeep.storage.single_sign_on import sso_tags
from crownkeep.storage.single_sign_on.access_applications import AccessApplicationRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_STATUS = "ACTIVE"


def new_application(call: Call, *, identity_source: Mapping[str, Mapping[str, str]], **_: object) -> Target:
    """The application to be made: policies name none, and may ask for the tags that it is to have."""
    found = instances.visible(call, identity_source.get("identityCenter", {}).get("instanceArn", ""))
    return Target("*", row=found)


def tagged_application(call: Call, **_: object) -> Target:
    """Whatever application is to be made with tags."""
    return Target(access_applications.any_arn(call))


@account_access.operation(
    "CreateApplication",
    resource=new_application,
    effect=Effect.STATE,
    tagging=Tagging("account-access:TagResource", tagged_application),
)
def create_application(
    call: Call, *, identity_source: Mapping[str, Mapping[str, str]], tags: Mapping[str, str] | None = None
) -> Result:
    """Enable account access for the organization's instance; once more with the same tags is no error."""
    instance = call.target_row(InstanceRow)
    if instance is None or instance.account_id != call.account_id or instance.organization_id is None:
        raise errors.ServiceValidation("The instance is no organization instance of IAM Identity Center of this account.")
    wanted = application_tags.checked(tags or {})
    # Two calls at once would both find none, and make two.
    assignments.hold(call, instance)
    kept = access_application_rows.of_instance(call.db, instance.instance_id)
    if kept is not None:
        if sso_tags.of_resource(call.db, access_applications.tag_id(kept)) != wanted:
            raise errors.AlreadyCreated("Account access is enabled for this instance already, with other tags.")
        return {"applicationArn": access_applications.arn_of(kept)}
    row = access_applications.new(call, instance)
    sso_tags.put(call.db, row.account_id, access_applications.tag_id(row), wanted)
    return {"applicationArn": access_applications.arn_of(row)}


@account_access.operation("GetApplication", resource=targets.application)
def get_application(call: Call, *, application_arn: str) -> Result:
    """Return an application."""
    row = targets.required(call, application_arn)
    return {
        "identitySource": {"identityCenter": {"instanceArn": instances.arn_of(row.instance_id)}},
        "status": _STATUS,
        "tenantId": row.tenant_id,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "tags": sso_tags.of_resource(call.db, access_applications.tag_id(row)),
    }


@account_access.operation("ListApplications", resource=everything)
def list_applications(call: Call, *, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the applications that the account manages."""
    found = sorted(access_applications.all_visible(call), key=lambda row: row.application_id)
    listed, more = next_tokens.page(
        call,
        list_name="account-access ListApplications",
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: [row for row in found if row.application_id > after][:limit],
        key=lambda row: row.application_id,
        member="nextToken",
    )
    return {"applications": [_summary(row) for row in listed], **more}


@account_access.operation("DeleteApplication", resource=targets.application, effect=Effect.STATE)
def delete_application(call: Call, *, application_arn: str) -> Result:
    """Disable account access, with every entitlement; sessions of roles taken by them end. One that is gone is no error."""
    row = call.target_row(AccessApplicationRow)
    if row is not None:
        targets.require_owner(call, row)
        access_applications.remove(call.db, row)
    return NOTHING


def _summary(row: AccessApplicationRow) -> dict[str, object]:
    return {
        "applicationArn": access_applications.arn_of(row),
        "tenantId": row.tenant_id,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }
