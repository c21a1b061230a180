"""Users: created without credentials and without permissions, found by name without regard to case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import arn, clock, errors, ids
from crownkeep.columns import Columns
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.principals import PrincipalKind
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import permissions_boundaries, reserved
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import (
    access_keys,
    login_profiles,
    mfa_devices,
    service_credentials,
    signing_certificates,
    ssh_public_keys,
)
from crownkeep.storage.identities import memberships, tagged_users, tags, users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments, inline_policies
from crownkeep.storage.reports import service_uses
from crownkeep.storage.sign_in import trail_filters

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::User"
_IN_USE = "Cannot delete entity, must {} first."


# What calls are about.


def new_user(call: Call, *, user_name: str, path: str = "/", permissions_boundary: str | None = None, **_: object) -> Target:
    """The user to be made."""
    return Target(arn.user(call.account_id, path, user_name), context=permissions_boundaries.condition_keys(permissions_boundary))


def named_user(call: Call, *, user_name: str, **_: object) -> Target:
    """The user with this name; the path is the real one where the user exists."""
    row = find(call, user_name)
    shown = f"user {user_name}"
    if row is None:
        # A user that is not there is decided on like one under `/`: only who may ask at all learns that it is missing.
        return Target(arn.user(call.account_id, "/", user_name), row=None, shown=shown)
    return target_of(call, row, shown=shown)


def users_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The users that a list may name, as AWS's refusals write it."""
    return Target(arn.user(call.account_id, path_prefix, ""))


def target_of(call: Call, row: UserRow, *, shown: str | None = None) -> Target:
    """The user as a policy's Resource and aws:ResourceTag see it; refusals write it as `shown`, or by its ARN."""
    return Target(arn.user(row.account_id, row.path, row.name), tags=lambda: tagging.of(call, row.user_id), row=row, shown=shown)


def user_with_new_boundary(call: Call, *, user_name: str, permissions_boundary: str, **_: object) -> Target:
    """The user, and the boundary it is to have."""
    return replace(named_user(call, user_name=user_name), context=permissions_boundaries.condition_keys(permissions_boundary))


def user_with_present_boundary(call: Call, *, user_name: str, **_: object) -> Target:
    """The user, and the boundary it has: what iam:PermissionsBoundary means for calls about a user's permissions."""
    found = named_user(call, user_name=user_name)
    present = found.row.boundary_arn if isinstance(found.row, UserRow) else None
    return replace(found, context=permissions_boundaries.condition_keys(present))


def own_or_named_user(call: Call, *, user_name: str | None = None, **_: object) -> Target:
    """The user with this name or, without one, the caller: a user, or the root user."""
    name = _named_or_own(call, user_name)
    return Target(call.principal.arn) if name is None else named_user(call, user_name=name)


def own_or_named_tagged_user(call: Call, *, user_name: str | None = None, **_: object) -> Target:
    """The same, whose tags are read with the row: for GetUser, which answers them."""
    name = _named_or_own(call, user_name)
    if name is None:
        # Root has no row among the users: its ARN is all that a policy can be asked about.
        return Target(call.principal.arn)
    found = tagged_users.named(call.db, call.account_id, name)
    shown = f"user {name}"
    if found is None:
        return Target(arn.user(call.account_id, "/", name), row=None, shown=shown)
    row, tagged = found
    return replace(target_of(call, row, shown=shown), tags=lambda: tagged)


def _named_or_own(call: Call, user_name: str | None) -> str | None:
    """Return the name of the user who is meant, None where that is the root user, who calls."""
    if user_name is not None:
        return user_name
    caller = call.principal
    if caller.kind is PrincipalKind.USER:
        return caller.name
    if caller.kind is PrincipalKind.ROOT:
        return None
    raise must_be_named()


# Users as others need them.


def must_be_named() -> errors.ValidationError:
    """Return the refusal of a call that means the caller, by one who is neither a user nor root."""
    return errors.ValidationError("Must specify userName when calling with non-User credentials")


def find(call: Call, user_name: str) -> UserRow | None:
    """Return the user with this name, or None."""
    return users.named(call.db, call.account_id, user_name)


def required(call: Call, user_name: str) -> UserRow:
    """Return the user with this name; raises NoSuchEntity."""
    return _found(find(call, user_name), user_name)


def targeted(call: Call, user_name: str) -> UserRow:
    """Return the user with this name, whom the call was decided on; raises NoSuchEntity."""
    return _found(call.target_row(UserRow), user_name)


def not_found(user_name: str) -> errors.NoSuchEntity:
    """Return the refusal of a call about a user that doesn't exist."""
    return errors.NoSuchEntity(f"The user with name {user_name} cannot be found.")


def _found(row: UserRow | None, user_name: str) -> UserRow:
    if row is None:
        raise not_found(user_name)
    return row


def describe(row: UserRow) -> dict[str, object]:
    """Return the members of a `User` that every answer has."""
    described: dict[str, object] = {
        "Path": row.path,
        "UserName": row.name,
        "UserId": row.user_id,
        "Arn": arn.user(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
    }
    if row.password_used_at is not None:
        described["PasswordLastUsed"] = row.password_used_at
    return described


def describe_each(account_id: str, found: Columns) -> Columns:
    """Return what `describe` says of each of an account's users, of whom there may be a thousand."""
    paths, names = found.texts("path"), found.texts("name")
    return Columns(
        {
            "Path": paths,
            "UserName": names,
            "UserId": found.of("user_id"),
            "Arn": arn.users(account_id, paths, names),
            "CreateDate": found.of("created_at"),
            "PasswordLastUsed": found.of("password_used_at"),
        }
    )


def describe_root(call: Call) -> dict[str, object]:
    """Return the root user as a `User`: it has neither name nor path."""
    account = accounts.with_id(call.db, call.account_id)
    described: dict[str, object] = {"UserId": call.account_id, "Arn": arn.root(call.account_id)}
    if account is not None:
        described["CreateDate"] = account.created_at
        if account.root_password_used_at is not None:
            described["PasswordLastUsed"] = account.root_password_used_at
    return described


# The operations.


@iam.operation("CreateUser", resource=new_user, effect=Effect.STATE, tagging=Tagging("iam:TagUser"))
def create_user(
    call: Call,
    *,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: Tags = (),
) -> Result:
    """Create a user with no credentials and no permissions."""
    reserved.require_free_principal(path, user_name)
    if find(call, user_name) is not None:
        raise _exists(user_name)
    boundary_arn = None if permissions_boundary is None else permissions_boundaries.required(call, permissions_boundary)
    row = UserRow(
        user_id=ids.unique_id(ids.Prefix.USER, clock.token_bytes(16)),
        account_id=call.account_id,
        name=user_name,
        name_key=user_name.lower(),
        path=path,
        created_at=call.now,
        boundary_arn=boundary_arn,
        password_used_at=None,
    )
    # The insert returns a number at least as high as the count. Counting all users of an account is slow, so it is done only near
    # the limit.
    if users.add(call.db, row) > quotas.of(call, quotas.USERS):
        quotas.require_room(call, users.count(call.db, call.account_id) - 1, quotas.USERS, name="UsersPerAccount")
    # The door has asked for iam:TagUser already where the call brings tags.
    tagged = tagging.put(call, row.user_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return {"User": {**describe(row), **permissions_boundaries.members(boundary_arn), **tagging.members(tagged)}}


@iam.operation("GetUser", resource=own_or_named_tagged_user)
def get_user(call: Call, *, user_name: str | None = None) -> Result:
    """Return a user, or the caller where none is named."""
    caller = call.principal
    if user_name is None and caller.kind is PrincipalKind.ROOT:
        return {"User": describe_root(call)}
    row = targeted(call, caller.name if user_name is None else user_name)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    tagged = call.target.tags() if call.target is not None else {}
    return {"User": {**describe(row), **permissions_boundaries.members(row.boundary_arn), **tagging.members(tagged)}}


@iam.operation("ListUsers", resource=users_under_path)
def list_users(call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None) -> Result:
    """List users by name; tags and boundaries are not part of it (API_ListUsers)."""
    place = (call.db, call.account_id)
    found, more = page_tokens.page(
        call,
        list_name="ListUsers",
        filters=(path_prefix,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: describe_each(
            call.account_id, users.listed(*place, path_prefix=path_prefix, after=after, limit=limit)
        ),
        key=lambda user: str(user["UserName"]).lower(),
    )
    return {"Users": found, **more}


@iam.operation("UpdateUser", resource=named_user)
def update_user(call: Call, *, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> Result:
    """Give a user another name or path; what it has and belongs to stays."""
    row = targeted(call, user_name)
    reserved.require_free_principal(new_path, new_user_name)
    name, path = new_user_name or row.name, new_path or row.path
    new_arn = arn.user(call.account_id, path, name)
    # Under its new ARN, too (API_UpdateUser): or it could move where policies forbid its mover to act.
    authorize.require_action(call, "iam:UpdateUser", Target(new_arn, tags=lambda: tagging.of(call, row.user_id)))
    # Changing only the case of letters is no clash with oneself.
    if name.lower() != row.name_key and find(call, name) is not None:
        raise _exists(name)
    users.rename(call.db, call.account_id, row.user_id, name=name, path=path)
    call.notes.resources += [(RESOURCE_TYPE, row.name), (RESOURCE_TYPE, name)]
    return NOTHING


@iam.operation("DeleteUser", resource=named_user)
def delete_user(call: Call, *, user_name: str) -> Result:
    """Delete a user that has no policies, groups and credentials any more."""
    row = targeted(call, user_name)
    # Like AWS, a user is never deleted with what it still holds: nobody loses keys or policies by accident.
    _require_unused(call, row)
    # These three don't keep a user from being deleted. They go with it, so that nothing is left under its id.
    tags.remove_all(call.db, call.account_id, row.user_id)
    service_uses.remove_all(call.db, call.account_id, row.user_id)
    trail_filters.remove_all(call.db, call.account_id, row.user_id)
    users.remove(call.db, call.account_id, row.user_id)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("PutUserPermissionsBoundary", resource=user_with_new_boundary)
def put_user_permissions_boundary(call: Call, *, user_name: str, permissions_boundary: str) -> Result:
    """Limit a user's permissions to what a managed policy allows."""
    row = targeted(call, user_name)
    boundary_arn = permissions_boundaries.required(call, permissions_boundary)
    users.set_boundary(call.db, call.account_id, row.user_id, boundary_arn)
    call.notes.resources += [(RESOURCE_TYPE, row.name), ("AWS::IAM::Policy", boundary_arn)]
    return NOTHING


@iam.operation("DeleteUserPermissionsBoundary", resource=user_with_present_boundary)
def delete_user_permissions_boundary(call: Call, *, user_name: str) -> Result:
    """Take a user's boundary away."""
    row = targeted(call, user_name)
    users.set_boundary(call.db, call.account_id, row.user_id, None)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("TagUser", resource=named_user, effect=Effect.STATE)
def tag_user(call: Call, *, user_name: str, tags: Tags) -> Result:
    """Add tags to a user, or change them."""
    row = targeted(call, user_name)
    tagging.put(call, row.user_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("UntagUser", resource=named_user, effect=Effect.STATE)
def untag_user(call: Call, *, user_name: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a user."""
    row = targeted(call, user_name)
    tagging.take(call, row.user_id, tag_keys)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("ListUserTags", resource=named_user)
def list_user_tags(call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List a user's tags by key."""
    row = targeted(call, user_name)
    return tagging.page(call, row.user_id, list_name="ListUserTags", marker=marker, max_items=max_items)


def _exists(user_name: str) -> errors.EntityAlreadyExists:
    return errors.EntityAlreadyExists(f"User with name {user_name} already exists.")


def _require_unused(call: Call, row: UserRow) -> None:
    # Permissions are named before credentials, as far as the order in which AWS names them is known.
    place = (call.db, call.account_id, row.user_id)
    if attachments.of_owner(*place):
        raise errors.DeleteConflict(_IN_USE.format("detach all policies"))
    if inline_policies.count(*place):
        raise errors.DeleteConflict(_IN_USE.format("delete policies"))
    if memberships.count_of_user(*place):
        raise errors.DeleteConflict(_IN_USE.format("remove users from group"))
    if access_keys.of_owner(*place):
        raise errors.DeleteConflict(_IN_USE.format("delete access keys"))
    if login_profiles.of_user(*place) is not None:
        raise errors.DeleteConflict(_IN_USE.format("delete login profile"))
    if mfa_devices.count_of_owner(*place):
        raise errors.DeleteConflict(_IN_USE.format("delete MFA device"))
    if signing_certificates.of_owner(*place):
        raise errors.DeleteConflict(_IN_USE.format("delete signing certificates"))
    if ssh_public_keys.count(*place) or service_credentials.count(*place):
        raise errors.DeleteConflict(_IN_USE.format("remove referenced objects"))
