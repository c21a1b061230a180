"""Instances: one for an organization, which has permission sets, or one for a single account, which has people alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments, instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import EVERYTHING, Effect, Tagging, Target
from crownkeep.services.sso_admin import tags as tagging
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.single_sign_on import instances as instance_rows
from crownkeep.storage.single_sign_on import sso_tags
from crownkeep.storage.single_sign_on.instances import InstanceRow


def new_instance(call: Call, **_: object) -> Target:
    """The instance to be made."""
    return Target(instances.arn_of("*"), context={targets.PRIMARY_REGION: call.origin.region})


def everything(call: Call, **_: object) -> Target:
    """Every instance that the caller may see."""
    return EVERYTHING


@sso_admin.operation("CreateInstance", resource=new_instance, effect=Effect.STATE, tagging=Tagging(tagging.ACTION, new_instance))
def create_instance(
    call: Call, *, name: str = "", client_token: str | None = None, tags: Sequence[Mapping[str, str]] = ()
) -> Result:
    """Make the account's instance.

    In an organization's management account it serves the whole organization. AWS refuses that and asks for its console instead;
    here it is the one way for programs, beside `crownkeep sso enable`.
    """
    if instance_rows.of_account(call.db, call.account_id) is not None:
        raise errors.Conflict("An instance of IAM Identity Center already exists in this account.")
    member = organization_accounts.of_account(call.db, call.account_id)
    manages = member is not None and member.management_account_id == call.account_id
    wanted = tagging.checked(tags)
    row = instances.new(call, call.account_id, organization_id=member.organization_id if member and manages else None, name=name)
    sso_tags.put(call.db, call.account_id, row.instance_id, wanted)
    return {"InstanceArn": instances.arn_of(row.instance_id)}


@sso_admin.operation("DescribeInstance", resource=targets.instance)
def describe_instance(call: Call, *, instance_arn: str) -> Result:
    """Return an instance."""
    row = targets.required_instance(call, instance_arn)
    encryption = {"KeyType": "AWS_OWNED_KMS_KEY", "EncryptionStatus": "ENABLED"}
    return {**_describe(row), "EncryptionConfigurationDetails": encryption, "PermissionSetsEnabled": row.permission_sets_enabled}


@sso_admin.operation("ListInstances", resource=everything)
def list_instances(
    call: Call, *, max_results: int | None = None, next_token: str | None = None, region_scope: str = "ALL_REGIONS"
) -> Result:
    """List the instances that the account administers: its own, and the organization's where that is delegated to it."""
    found = sorted(instances.all_visible(call), key=lambda row: row.instance_id)
    if region_scope == "CURRENT_REGION":
        found = [row for row in found if row.region == call.origin.region]
    listed, more = next_tokens.page(
        call,
        list_name="ListInstances",
        filters=(region_scope,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: [row for row in found if row.instance_id > after][:limit],
        key=lambda row: row.instance_id,
    )
    return {"Instances": [_describe(row) for row in listed], **more}


@sso_admin.operation("UpdateInstance", resource=targets.instance, effect=Effect.STATE)
def update_instance(
    call: Call,
    *,
    instance_arn: str,
    name: str | None = None,
    encryption_configuration: Mapping[str, str] | None = None,
    permission_sets_enabled: bool | None = None,
    network_configuration: Mapping[str, object] | None = None,
) -> Result:
    """Give an instance another name; keys of customers and networks that it is closed to are refused."""
    row = targets.required_instance(call, instance_arn)
    if encryption_configuration is not None and encryption_configuration["KeyType"] != "AWS_OWNED_KMS_KEY":
        raise errors.ServiceValidation("EncryptionConfiguration: customer managed keys are not supported here.")
    if network_configuration is not None:
        raise errors.ServiceValidation("NetworkConfiguration is not supported here.")
    if permission_sets_enabled is not None and permission_sets_enabled != row.permission_sets_enabled:
        raise errors.ServiceValidation("PermissionSetsEnabled can't be changed: an organization's instance has them.")
    if name is not None:
        instance_rows.rename(call.db, row.instance_id, name)
    return NOTHING


@sso_admin.operation("DeleteInstance", resource=targets.instance, effect=Effect.STATE)
def delete_instance(call: Call, *, instance_arn: str) -> Result:
    """Delete an instance with its people, groups, permission sets and the roles that those have become."""
    row = targets.required_instance(call, instance_arn)
    if row.account_id != call.account_id:
        raise errors.AccessDenied("Only the account that owns an instance can delete it.")
    assignments.dissolve(call, row)
    return NOTHING


@sso_admin.operation("ListRegions", resource=targets.instance)
def list_regions(call: Call, *, instance_arn: str, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the Regions of an instance: the one in which it was enabled."""
    return {"Regions": _regions(targets.required_instance(call, instance_arn))}


@sso_admin.operation("DescribeRegion", resource=targets.instance)
def describe_region(call: Call, *, instance_arn: str, region_name: str) -> Result:
    """Return one Region of an instance; raises ResourceNotFoundException for one that it is not in."""
    found = _regions(targets.required_instance(call, instance_arn))[0]
    if found["RegionName"] != region_name:
        raise errors.ResourceNotFound(f"The instance is not in Region {region_name}.")
    return found


def _describe(row: InstanceRow) -> dict[str, object]:
    return {
        "InstanceArn": instances.arn_of(row.instance_id),
        "IdentityStoreId": row.identity_store_id,
        "IdentityStoreArn": instances.store_arn(row),
        "OwnerAccountId": row.account_id,
        **({"Name": row.name} if row.name else {}),
        "CreatedDate": row.created_at,
        "Status": "ACTIVE",
        "PrimaryRegion": row.region,
        "Regions": _regions(row),
    }


def _regions(row: InstanceRow) -> list[dict[str, object]]:
    return [{"RegionName": row.region, "Status": "ACTIVE", "AddedDate": row.created_at, "IsPrimaryRegion": True}]
