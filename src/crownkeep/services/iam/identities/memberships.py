"""Memberships: which users belong to which groups, at most ten groups for each user."""

from __future__ import annotations

from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import groups, users
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import memberships
from crownkeep.storage.identities.groups import GroupRow
from crownkeep.storage.identities.users import UserRow


@iam.operation("AddUserToGroup", resource=groups.named_group)
def add_user_to_group(call: Call, *, group_name: str, user_name: str) -> Result:
    """Make a user a member of a group; a member stays one."""
    user, group = users.required(call, user_name), groups.targeted(call, group_name)
    _note(call, group, user)
    if memberships.is_member(call.db, call.account_id, group.group_id, user.user_id):
        return NOTHING
    count = memberships.count_of_user(call.db, call.account_id, user.user_id)
    quotas.require_room(call, count, quotas.GROUPS_PER_USER, name="GroupsPerUser")
    memberships.add(call.db, call.account_id, group.group_id, user.user_id, at=call.now)
    return NOTHING


@iam.operation("RemoveUserFromGroup", resource=groups.named_group)
def remove_user_from_group(call: Call, *, group_name: str, user_name: str) -> Result:
    """End a user's membership in a group; who is no member stays none."""
    user, group = users.required(call, user_name), groups.targeted(call, group_name)
    _note(call, group, user)
    memberships.remove(call.db, call.account_id, group.group_id, user.user_id)
    return NOTHING


@iam.operation("ListGroupsForUser", resource=users.named_user)
def list_groups_for_user(call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List the groups a user belongs to, by name."""
    user = users.targeted(call, user_name)
    found, more = page_tokens.page(
        call,
        list_name="ListGroupsForUser",
        filters=(user.user_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: memberships.groups_page(call.db, call.account_id, user.user_id, after=after, limit=limit),
        key=lambda row: row.name_key,
    )
    return {"Groups": [groups.describe(row) for row in found], **more}


def _note(call: Call, group: GroupRow, user: UserRow) -> None:
    call.notes.resources += [(groups.RESOURCE_TYPE, group.name), (users.RESOURCE_TYPE, user.name)]
