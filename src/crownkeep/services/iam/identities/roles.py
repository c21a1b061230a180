"""Roles: identities that nobody signs in as and everybody their trust policies name may take on for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import arn, clock, errors, ids
from crownkeep.catalogue import reserved_names
from crownkeep.columns import Columns
from crownkeep.domain import page_tokens
from crownkeep.domain.identities import linked_roles
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import permissions_boundaries, reserved, sign_in_durations, trust_policies
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import instance_profiles, roles, tags
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.policies import attachments, inline_policies
from crownkeep.storage.reports import service_uses

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::Role"


# What calls are about.


def new_role(call: Call, *, role_name: str, path: str = "/", permissions_boundary: str | None = None, **_: object) -> Target:
    """The role to be made."""
    return Target(arn.role(call.account_id, path, role_name), context=permissions_boundaries.condition_keys(permissions_boundary))


def named_role(call: Call, *, role_name: str, **_: object) -> Target:
    """The role with this name; the path is the real one where the role exists."""
    row = roles.named(call.db, call.account_id, role_name)
    # The row is kept with the decision, so the handler works on what was decided on.
    found = target_of(call, row) if row else Target(arn.role(call.account_id, "/", role_name), row=None)
    return replace(found, shown=f"role {role_name}")


def roles_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The roles that a list may name, as AWS's refusals write it."""
    return Target(arn.role(call.account_id, path_prefix, ""))


def role_with_new_boundary(call: Call, *, role_name: str, permissions_boundary: str, **_: object) -> Target:
    """The role, and the boundary it is to have."""
    return replace(named_role(call, role_name=role_name), context=permissions_boundaries.condition_keys(permissions_boundary))


def role_with_present_boundary(call: Call, *, role_name: str, **_: object) -> Target:
    """The role, and the boundary it has: what iam:PermissionsBoundary means for calls that don't set it."""
    found = named_role(call, role_name=role_name)
    present = found.row.boundary_arn if isinstance(found.row, RoleRow) else None
    return replace(found, context=permissions_boundaries.condition_keys(present))


def target_of(call: Call, row: RoleRow) -> Target:
    """The role as a policy's Resource and aws:ResourceTag see it."""
    return Target(arn.role(row.account_id, row.path, row.name), tags=lambda: tagging.of(call, row.role_id), row=row)


# Roles as others need them.


def find(call: Call, role_name: str) -> RoleRow | None:
    """Return the role with this name, or None."""
    return roles.named(call.db, call.account_id, role_name)


def required(call: Call, role_name: str) -> RoleRow:
    """Return the role with this name; raises NoSuchEntity."""
    return _found(find(call, role_name), role_name)


def targeted(call: Call, role_name: str) -> RoleRow:
    """Return the role with this name, which the call was decided on; raises NoSuchEntity."""
    return _found(call.target_row(RoleRow), role_name)


def found_by(target: Target, role_name: str) -> RoleRow:
    """Return the role that another target of the call has found, such as one that is passed on; raises NoSuchEntity."""
    return _found(target.row if isinstance(target.row, RoleRow) else None, role_name)


def _found(row: RoleRow | None, role_name: str) -> RoleRow:
    if row is None:
        raise not_found(role_name)
    return row


def changeable(row: RoleRow) -> RoleRow:
    """Return a role that a call changes; raises UnmodifiableEntity for a service's own."""
    # Roles of services and of single sign-on follow from something else, and a change here would be undone or do harm.
    if row.owner_service is not None:
        raise errors.UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{row.name}' - this role is only modifiable by AWS"
        )
    return row


def describable(call: Call, role_name: str) -> RoleRow:
    """Return the role with this name, for its description and tags; raises what `changeable` does for one of single sign-on.

    Service-linked roles take both. Of the others policies read `aws:PrincipalTag`, which would so be anybody's to choose.
    """
    row = targeted(call, role_name)
    return changeable(row) if row.path.startswith(reserved_names.SINGLE_SIGN_ON_PATH) else row


def not_found(role_name: str) -> errors.NoSuchEntity:
    """Return the refusal of a call about a role that doesn't exist."""
    return errors.NoSuchEntity(f"The role with name {role_name} cannot be found.")


def describe(row: RoleRow, trust_policy: str) -> dict[str, object]:
    """Return the members of a `Role` that every answer has; `trust_policy` is what `trust_policies.show` answers."""
    return {
        "Path": row.path,
        "RoleName": row.name,
        "RoleId": row.role_id,
        "Arn": arn.role(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
        "AssumeRolePolicyDocument": trust_policy,
    }


def describe_each(call: Call, found: Columns) -> Columns:
    """Return what `describe` and `settings_of` say of each of the account's roles."""
    paths, names = found.texts("path"), found.texts("name")
    return Columns(
        {
            "Path": paths,
            "RoleName": names,
            "RoleId": found.of("role_id"),
            "Arn": arn.roles(call.account_id, paths, names),
            "CreateDate": found.of("created_at"),
            # For a page at once: unique ids become names again by one query for all roles.
            "AssumeRolePolicyDocument": trust_policies.show_each(
                call, found.texts("trust_policy"), found.texts("trusted_accounts")
            ),
            "Description": [text or None for text in found.of("description")],
            "MaxSessionDuration": found.of("max_session_seconds"),
            "MaxSigninSessionDuration": found.of("max_sign_in_seconds"),
        }
    )


def describe_alone(call: Call, row: RoleRow) -> dict[str, object]:
    """Return the members of a `Role` that every answer has, for one role."""
    return describe(row, trust_policies.show(call, [row])[row.role_id])


def settings_of(row: RoleRow) -> dict[str, object]:
    """Return the members that only reading a role shows: its longest session, and what was set of description and sign-in."""
    shown: dict[str, object] = {"Description": row.description} if row.description else {}
    longest = sign_in_durations.members(row.max_sign_in_seconds)
    return {**shown, "MaxSessionDuration": row.max_session_seconds, **longest}


def last_used(row: RoleRow) -> dict[str, object]:
    """Return the members of `RoleLastUsed`: none for a role that was never used."""
    if row.used_at is None:
        return {}
    return {"LastUsedDate": row.used_at.replace(microsecond=0), "Region": row.used_region}


def note(call: Call, row: RoleRow) -> None:
    """Note for the record which role a call is about."""
    call.notes.resources.append((RESOURCE_TYPE, row.name))


# The operations.


@iam.operation("CreateRole", resource=new_role, effect=Effect.STATE, tagging=Tagging("iam:TagRole"))
def create_role(
    call: Call,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str | None = None,
    max_session_duration: int | None = None,
    max_signin_session_duration: int | None = None,
    permissions_boundary: str | None = None,
    tags: Tags = (),
) -> Result:
    """Create a role without permissions; its answer leaves out description and longest session, as AWS's does."""
    reserved.require_free_principal(path, role_name)
    # Names in the trust policy become unique ids now. A user who is made later under the same name is not trusted.
    trust = trust_policies.bind(call, assume_role_policy_document)
    # Checked before the account is looked at: a malformed call is refused whatever the account holds.
    tagging.checked(tags)
    boundary_arn = None if permissions_boundary is None else permissions_boundaries.required(call, permissions_boundary)
    if roles.named(call.db, call.account_id, role_name) is not None:
        raise errors.EntityAlreadyExists(f"Role with name {role_name} already exists.")
    quotas.require_room(call, roles.count(call.db, call.account_id), quotas.ROLES, name="RolesPerAccount")
    row = RoleRow(
        role_id=ids.unique_id(ids.Prefix.ROLE, clock.token_bytes(16)),
        account_id=call.account_id,
        name=role_name,
        name_key=role_name.lower(),
        path=path,
        created_at=call.now,
        trust_policy=trust.document,
        trusted_accounts=trust.accounts,
        description=description or None,
        max_session_seconds=max_session_duration or linked_roles.LONGEST_SESSION,
        boundary_arn=boundary_arn,
        max_sign_in_seconds=max_signin_session_duration,
    )
    roles.add(call.db, row)
    tagged = tagging.put(call, row.role_id, tags)
    note(call, row)
    return {"Role": {**describe_alone(call, row), **permissions_boundaries.members(boundary_arn), **tagging.members(tagged)}}


@iam.operation("GetRole", resource=role_with_present_boundary)
def get_role(call: Call, *, role_name: str) -> Result:
    """Return a role with everything about it but its permissions."""
    row = targeted(call, role_name)
    note(call, row)
    described = {
        **describe_alone(call, row),
        **settings_of(row),
        **permissions_boundaries.members(row.boundary_arn),
        **tagging.members(tagging.of(call, row.role_id)),
        "RoleLastUsed": last_used(row),
    }
    return {"Role": described}


@iam.operation("ListRoles", resource=roles_under_path)
def list_roles(call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None) -> Result:
    """List roles by name; tags, boundaries and last use are not part of it (API_ListRoles)."""
    place = (call.db, call.account_id)
    found, more = page_tokens.page(
        call,
        list_name="ListRoles",
        filters=(path_prefix,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: describe_each(call, roles.listed(*place, path_prefix=path_prefix, after=after, limit=limit)),
        key=lambda role: str(role["RoleName"]).lower(),
    )
    return {"Roles": found, **more}


@iam.operation("UpdateRole", resource=role_with_present_boundary, effect=Effect.STATE)
def update_role(
    call: Call,
    *,
    role_name: str,
    description: str | None = None,
    max_session_duration: int | None = None,
    max_signin_session_duration: int | None = None,
    reset_max_signin_session_duration: bool = False,
) -> Result:
    """Set a role's description, longest session or longest console session; what isn't given stays."""
    sign_in_durations.refuse_both(max_signin_session_duration, is_reset=reset_max_signin_session_duration)
    row = describable(call, role_name)
    # Each setting has its own rule for service-linked roles, so each is checked where it is set.
    if max_session_duration is not None:
        _refuse_linked(row, "max session duration")
        roles.set_longest_session(call.db, call.account_id, row.role_id, seconds=max_session_duration)
    if max_signin_session_duration is not None or reset_max_signin_session_duration:
        _refuse_linked(row, "max sign-in session duration")
        roles.set_longest_sign_in(call.db, call.account_id, row.role_id, seconds=max_signin_session_duration)
    if description is not None:
        roles.set_description(call.db, call.account_id, row.role_id, description or None)
    note(call, row)
    return NOTHING


def _refuse_linked(row: RoleRow, setting: str) -> None:
    if row.owner_service is not None:
        raise errors.UnmodifiableEntity(f"{row.name} is an AWS service linked role, {setting} cannot be changed.")


@iam.operation("UpdateRoleDescription", resource=role_with_present_boundary, effect=Effect.STATE)
def update_role_description(call: Call, *, role_name: str, description: str) -> Result:
    """Set a role's description and return the role."""
    row = describable(call, role_name)
    roles.set_description(call.db, call.account_id, row.role_id, description or None)
    note(call, row)
    described: dict[str, object] = {"Description": description} if description else {}
    return {"Role": {**describe_alone(call, row), **described}}


@iam.operation("DeleteRole", resource=role_with_present_boundary)
def delete_role(call: Call, *, role_name: str) -> Result:
    """Delete a role that has no policies and is in no instance profile any more; its sessions end with it."""
    row = changeable(targeted(call, role_name))
    # Like a user, a role is deleted only once it holds nothing.
    place = (call.db, call.account_id, row.role_id)
    if attachments.of_owner(*place):
        raise errors.DeleteConflict("Cannot delete entity, must detach all policies first.")
    if inline_policies.count(*place):
        raise errors.DeleteConflict("Cannot delete entity, must delete policies first.")
    if instance_profiles.holds(*place):
        raise errors.DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    # The sessions need no clean-up: they name the role's unique id, which will never exist again.
    tags.remove_all(*place)
    service_uses.remove_all(*place)
    roles.remove(*place)
    note(call, row)
    return NOTHING


@iam.operation("UpdateAssumeRolePolicy", resource=role_with_present_boundary)
def update_assume_role_policy(call: Call, *, role_name: str, policy_document: str) -> Result:
    """Set who may take on a role; sessions of those whom it no longer names end."""
    row = changeable(targeted(call, role_name))
    # Ids of deleted users that were in the policy before may stay in it; new ones must exist.
    trust = trust_policies.bind(call, policy_document, before=row.trusted_accounts)
    roles.set_trust(call.db, call.account_id, row.role_id, policy=trust.document, accounts=trust.accounts)
    note(call, row)
    return NOTHING


@iam.operation("PutRolePermissionsBoundary", resource=role_with_new_boundary)
def put_role_permissions_boundary(call: Call, *, role_name: str, permissions_boundary: str) -> Result:
    """Limit a role's permissions to what a managed policy allows."""
    row = changeable(targeted(call, role_name))
    boundary_arn = permissions_boundaries.required(call, permissions_boundary)
    roles.set_boundary(call.db, call.account_id, row.role_id, boundary_arn)
    call.notes.resources += [(RESOURCE_TYPE, row.name), ("AWS::IAM::Policy", boundary_arn)]
    return NOTHING


@iam.operation("DeleteRolePermissionsBoundary", resource=role_with_present_boundary)
def delete_role_permissions_boundary(call: Call, *, role_name: str) -> Result:
    """Take a role's boundary away."""
    row = changeable(targeted(call, role_name))
    roles.set_boundary(call.db, call.account_id, row.role_id, None)
    note(call, row)
    return NOTHING


@iam.operation("TagRole", resource=named_role, effect=Effect.STATE)
def tag_role(call: Call, *, role_name: str, tags: Tags) -> Result:
    """Add tags to a role, or change them."""
    row = describable(call, role_name)
    tagging.put(call, row.role_id, tags)
    note(call, row)
    return NOTHING


@iam.operation("UntagRole", resource=named_role, effect=Effect.STATE)
def untag_role(call: Call, *, role_name: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a role."""
    row = describable(call, role_name)
    tagging.take(call, row.role_id, tag_keys)
    note(call, row)
    return NOTHING


@iam.operation("ListRoleTags", resource=named_role)
def list_role_tags(call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List a role's tags by key."""
    row = targeted(call, role_name)
    return tagging.page(call, row.role_id, list_name="ListRoleTags", marker=marker, max_items=max_items)
