"""Instance profiles: containers through which an EC2 instance gets a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import arn, clock, errors, ids
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import reserved, roles, trust_policies
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import instance_profiles, tags
from crownkeep.storage.identities.instance_profiles import FilledProfile, InstanceProfileRow
from crownkeep.storage.identities.roles import RoleRow

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::InstanceProfile"
_PASSED_TO = {"iam:PassedToService": "ec2.amazonaws.com"}


def new_instance_profile(call: Call, *, instance_profile_name: str, path: str = "/", **_: object) -> Target:
    """The instance profile to be made."""
    return Target(arn.instance_profile(call.account_id, path, instance_profile_name))


def named_instance_profile(call: Call, *, instance_profile_name: str, **_: object) -> Target:
    """The instance profile with this name; the path is the real one where it exists."""
    filled = instance_profiles.named(call.db, call.account_id, instance_profile_name)
    shown = f"instance profile {instance_profile_name}"
    if filled is None:
        return Target(arn.instance_profile(call.account_id, "/", instance_profile_name), shown=shown, row=None)
    row = filled.profile
    profile_arn = arn.instance_profile(row.account_id, row.path, row.name)
    return Target(profile_arn, tags=lambda: tagging.of(call, row.profile_id), shown=shown, row=filled)


def instance_profiles_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The instance profiles that a list may name, as AWS's refusals write it."""
    return Target(arn.instance_profile(call.account_id, path_prefix, ""))


def _targeted(call: Call, name: str) -> FilledProfile:
    filled = call.target_row(FilledProfile)
    if filled is None:
        raise errors.NoSuchEntity(f"Instance Profile {name} cannot be found.")
    return filled


def describe(row: InstanceProfileRow, described_roles: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the members of an `InstanceProfile` that every answer has."""
    return {
        "Path": row.path,
        "InstanceProfileName": row.name,
        "InstanceProfileId": row.profile_id,
        "Arn": arn.instance_profile(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
        "Roles": list(described_roles),
    }


def _describe_all(call: Call, found: Sequence[FilledProfile]) -> list[dict[str, object]]:
    held = {filled.role.role_id: filled.role for filled in found if filled.role is not None}
    trust = trust_policies.show(call, list(held.values()))
    return [describe(filled.profile, _roles_in(filled.role, trust)) for filled in found]


def _roles_in(role: RoleRow | None, trust: Mapping[str, str]) -> list[dict[str, object]]:
    return [] if role is None else [roles.describe(role, trust[role.role_id])]


def _note(call: Call, row: InstanceProfileRow) -> None:
    call.notes.resources.append((RESOURCE_TYPE, row.name))


@iam.operation(
    "CreateInstanceProfile", resource=new_instance_profile, effect=Effect.STATE, tagging=Tagging("iam:TagInstanceProfile")
)
def create_instance_profile(call: Call, *, instance_profile_name: str, path: str = "/", tags: Tags = ()) -> Result:
    """Create an instance profile without a role."""
    reserved.require_free_path(path)
    tagging.checked(tags)
    if instance_profiles.named(call.db, call.account_id, instance_profile_name) is not None:
        raise errors.EntityAlreadyExists(f"Instance Profile {instance_profile_name} already exists.")
    count = instance_profiles.count(call.db, call.account_id)
    quotas.require_room(call, count, quotas.INSTANCE_PROFILES, name="InstanceProfilesPerAccount")
    row = InstanceProfileRow(
        profile_id=ids.unique_id(ids.Prefix.INSTANCE_PROFILE, clock.token_bytes(16)),
        account_id=call.account_id,
        name=instance_profile_name,
        name_key=instance_profile_name.lower(),
        path=path,
        created_at=call.now,
    )
    instance_profiles.add(call.db, row)
    tagged = tagging.put(call, row.profile_id, tags)
    _note(call, row)
    return {"InstanceProfile": {**describe(row, []), **tagging.members(tagged)}}


@iam.operation("GetInstanceProfile", resource=named_instance_profile)
def get_instance_profile(call: Call, *, instance_profile_name: str) -> Result:
    """Return an instance profile with its role and its tags, of which the list may be empty."""
    filled = _targeted(call, instance_profile_name)
    row = filled.profile
    _note(call, row)
    tagged = tagging.describe(tagging.of(call, row.profile_id))
    return {"InstanceProfile": {**_describe_all(call, [filled])[0], "Tags": tagged}}


@iam.operation("ListInstanceProfiles", resource=instance_profiles_under_path)
def list_instance_profiles(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List instance profiles by name, each with its role."""
    found, more = page_tokens.page(
        call,
        list_name="ListInstanceProfiles",
        filters=(path_prefix,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: instance_profiles.page(
            call.db, call.account_id, path_prefix=path_prefix, after=after, limit=limit
        ),
        key=lambda filled: filled.profile.name_key,
    )
    return {"InstanceProfiles": _describe_all(call, found), **more}


@iam.operation("ListInstanceProfilesForRole", resource=roles.named_role)
def list_instance_profiles_for_role(
    call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the instance profiles that a role is in."""
    role = roles.targeted(call, role_name)
    found, more = page_tokens.page(
        call,
        list_name="ListInstanceProfilesForRole",
        filters=(role.role_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: instance_profiles.page_of_role(
            call.db, call.account_id, role.role_id, after=after, limit=limit
        ),
        key=lambda filled: filled.profile.name_key,
    )
    return {"InstanceProfiles": _describe_all(call, found), **more}


@iam.operation("DeleteInstanceProfile", resource=named_instance_profile, effect=Effect.STATE)
def delete_instance_profile(call: Call, *, instance_profile_name: str) -> Result:
    """Delete an instance profile that holds no role."""
    filled = _targeted(call, instance_profile_name)
    row, role = filled.profile, filled.role
    if role is not None:
        raise errors.DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    tags.remove_all(call.db, call.account_id, row.profile_id)
    instance_profiles.remove(call.db, call.account_id, row.profile_id)
    _note(call, row)
    return NOTHING


@iam.operation("AddRoleToInstanceProfile", resource=named_instance_profile, effect=Effect.STATE)
def add_role_to_instance_profile(call: Call, *, instance_profile_name: str, role_name: str) -> Result:
    """Put a role into an instance profile; the caller must be allowed to pass the role (API_AddRoleToInstanceProfile)."""
    filled = _targeted(call, instance_profile_name)
    row, held = filled.profile, filled.role
    # AWS writes the ARN here: ours has no more of it than the caller knows.
    shown = arn.role(call.account_id, "/", role_name)
    target = replace(roles.named_role(call, role_name=role_name), context=_PASSED_TO, shown=shown)
    authorize.require_action(call, "iam:PassRole", target)
    # A service-linked role counts as changed by it (API_AddRoleToInstanceProfile, UnmodifiableEntity).
    role = roles.changeable(roles.found_by(target, role_name))
    if held is not None:
        raise errors.LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    instance_profiles.set_role(call.db, call.account_id, row.profile_id, role.role_id)
    _note(call, row)
    roles.note(call, role)
    return NOTHING


@iam.operation("RemoveRoleFromInstanceProfile", resource=named_instance_profile, effect=Effect.STATE)
def remove_role_from_instance_profile(call: Call, *, instance_profile_name: str, role_name: str) -> Result:
    """Take a role out of an instance profile."""
    filled = _targeted(call, instance_profile_name)
    row, held = filled.profile, filled.role
    role = roles.changeable(roles.required(call, role_name))
    if held is None or held.role_id != role.role_id:
        raise errors.NoSuchEntity(f"Role {role.name} in Instance Profile {row.name} cannot be found.")
    instance_profiles.set_role(call.db, call.account_id, row.profile_id, None)
    _note(call, row)
    roles.note(call, role)
    return NOTHING


@iam.operation("TagInstanceProfile", resource=named_instance_profile, effect=Effect.STATE)
def tag_instance_profile(call: Call, *, instance_profile_name: str, tags: Tags) -> Result:
    """Add tags to an instance profile, or change them."""
    row = _targeted(call, instance_profile_name).profile
    tagging.put(call, row.profile_id, tags)
    _note(call, row)
    return NOTHING


@iam.operation("UntagInstanceProfile", resource=named_instance_profile, effect=Effect.STATE)
def untag_instance_profile(call: Call, *, instance_profile_name: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from an instance profile."""
    row = _targeted(call, instance_profile_name).profile
    tagging.take(call, row.profile_id, tag_keys)
    _note(call, row)
    return NOTHING


@iam.operation("ListInstanceProfileTags", resource=named_instance_profile)
def list_instance_profile_tags(
    call: Call, *, instance_profile_name: str, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List an instance profile's tags by key."""
    row = _targeted(call, instance_profile_name).profile
    return tagging.page(call, row.profile_id, list_name="ListInstanceProfileTags", marker=marker, max_items=max_items)
