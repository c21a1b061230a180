"""Groups: collections of users that share permissions; a group signs nothing and is no principal."""

from __future__ import annotations

from crownkeep import arn, clock, errors, ids
from crownkeep.columns import Columns
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import reserved, users
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import groups, memberships
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.policies import attachments, inline_policies

RESOURCE_TYPE = "AWS::IAM::Group"


def new_group(call: Call, *, group_name: str, path: str = "/", **_: object) -> Target:
    """The group to be made."""
    return Target(arn.group(call.account_id, path, group_name))


def named_group(call: Call, *, group_name: str, **_: object) -> Target:
    """The group with this name; the path is the real one where the group exists."""
    row = groups.named(call.db, call.account_id, group_name)
    path, name = (row.path, row.name) if row else ("/", group_name)
    return Target(arn.group(call.account_id, path, name), shown=f"group {group_name}", row=row)


def groups_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The groups that a list may name, as AWS's refusals write it."""
    return Target(arn.group(call.account_id, path_prefix, ""))


def find(call: Call, group_name: str) -> GroupRow | None:
    """Return the group with this name, or None."""
    return groups.named(call.db, call.account_id, group_name)


def required(call: Call, group_name: str) -> GroupRow:
    """Return the group with this name; raises NoSuchEntity."""
    return _found(find(call, group_name), group_name)


def targeted(call: Call, group_name: str) -> GroupRow:
    """Return the group with this name, which the call was decided on; raises NoSuchEntity."""
    return _found(call.target_row(GroupRow), group_name)


def _found(row: GroupRow | None, group_name: str) -> GroupRow:
    if row is None:
        raise errors.NoSuchEntity(f"The group with name {group_name} cannot be found.")
    return row


def describe(row: GroupRow) -> dict[str, object]:
    """Return the members of a `Group`."""
    return {
        "Path": row.path,
        "GroupName": row.name,
        "GroupId": row.group_id,
        "Arn": arn.group(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
    }


def describe_each(account_id: str, found: Columns) -> Columns:
    """Return what `describe` says of each of an account's groups."""
    paths, names = found.texts("path"), found.texts("name")
    return Columns(
        {
            "Path": paths,
            "GroupName": names,
            "GroupId": found.of("group_id"),
            "Arn": arn.groups(account_id, paths, names),
            "CreateDate": found.of("created_at"),
        }
    )


@iam.operation("CreateGroup", resource=new_group, effect=Effect.STATE)
def create_group(call: Call, *, group_name: str, path: str = "/") -> Result:
    """Create a group without members and permissions."""
    reserved.require_free_path(path)
    if groups.named(call.db, call.account_id, group_name) is not None:
        raise _exists(group_name)
    quotas.require_room(call, groups.count(call.db, call.account_id), quotas.GROUPS, name="GroupsPerAccount")
    row = GroupRow(
        group_id=ids.unique_id(ids.Prefix.GROUP, clock.token_bytes(16)),
        account_id=call.account_id,
        name=group_name,
        name_key=group_name.lower(),
        path=path,
        created_at=call.now,
    )
    groups.add(call.db, row)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return {"Group": describe(row)}


@iam.operation("GetGroup", resource=named_group)
def get_group(call: Call, *, group_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """Return a group and its members by name."""
    row = targeted(call, group_name)
    found, more = page_tokens.page(
        call,
        list_name="GetGroup",
        filters=(row.group_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: memberships.users_page(call.db, call.account_id, row.group_id, after=after, limit=limit),
        key=lambda user: user.name_key,
    )
    return {"Group": describe(row), "Users": [users.describe(user) for user in found], **more}


@iam.operation("ListGroups", resource=groups_under_path)
def list_groups(call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None) -> Result:
    """List groups by name."""
    found, more = page_tokens.page(
        call,
        list_name="ListGroups",
        filters=(path_prefix,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: describe_each(
            call.account_id, groups.listed(call.db, call.account_id, path_prefix=path_prefix, after=after, limit=limit)
        ),
        key=lambda group: str(group["GroupName"]).lower(),
    )
    return {"Groups": found, **more}


@iam.operation("UpdateGroup", resource=named_group, effect=Effect.STATE)
def update_group(call: Call, *, group_name: str, new_path: str | None = None, new_group_name: str | None = None) -> Result:
    """Give a group another name or path; members and policies stay."""
    row = targeted(call, group_name)
    reserved.require_free_path(new_path)
    name, path = new_group_name or row.name, new_path or row.path
    # Under its new ARN, too (API_UpdateGroup): or it could move where policies forbid its mover to act.
    authorize.require_action(call, "iam:UpdateGroup", Target(arn.group(call.account_id, path, name)))
    if name.lower() != row.name_key and groups.named(call.db, call.account_id, name) is not None:
        raise _exists(name)
    groups.rename(call.db, call.account_id, row.group_id, name=name, path=path)
    call.notes.resources += [(RESOURCE_TYPE, row.name), (RESOURCE_TYPE, name)]
    return NOTHING


@iam.operation("DeleteGroup", resource=named_group, effect=Effect.STATE)
def delete_group(call: Call, *, group_name: str) -> Result:
    """Delete a group that has no policies and no members any more."""
    row = targeted(call, group_name)
    _require_unused(call, row)
    groups.remove(call.db, call.account_id, row.group_id)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


def _exists(group_name: str) -> errors.EntityAlreadyExists:
    return errors.EntityAlreadyExists(f"Group with name {group_name} already exists.")


def _require_unused(call: Call, row: GroupRow) -> None:
    place = (call.db, call.account_id, row.group_id)
    if attachments.of_owner(*place):
        raise errors.DeleteConflict("Cannot delete entity, must detach all policies first.")
    if inline_policies.count(*place):
        raise errors.DeleteConflict("Cannot delete entity, must delete policies first.")
    if memberships.has_members(*place):
        raise errors.DeleteConflict("Cannot delete entity, must remove users from group first.")
