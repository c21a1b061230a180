"""Memberships: who is in which group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments, directory, instances
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.identitystore import groups, targets, users
from crownkeep.services.identitystore.service import identity_store
from crownkeep.storage.single_sign_on import directory_groups, directory_memberships
from crownkeep.storage.single_sign_on.directory_memberships import DirectoryMembershipRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

Member = Mapping[str, str]


def pair(call: Call, *, identity_store_id: str, group_id: str, member_id: Member, **_: object) -> Target:
    """A group, a user, and the store that they are in."""
    found = targets.find(call, identity_store_id, group_id=group_id, user_id=member_id.get("UserId"))
    return targets.about(call, identity_store_id, found, targets.group_arn(targets.id_of(group_id)), _user_arn(member_id))


def paired_membership(call: Call, *, identity_store_id: str, group_id: str, member_id: Member, **_: object) -> Target:
    """The membership of a user in a group, with both."""
    instance = targets.find(call, identity_store_id).instance
    row = None if instance is None else _between(call, instance, group_id, member_id)
    arns = (targets.group_arn(targets.id_of(group_id)), _user_arn(member_id))
    which = targets.membership_arn(row.membership_id if row else "*")
    return targets.about(call, identity_store_id, targets.InStore(instance, membership=row), *arns, which)


def membership(call: Call, *, identity_store_id: str, membership_id: str, **_: object) -> Target:
    """A membership with its group and user."""
    instance = targets.find(call, identity_store_id).instance
    wanted = targets.id_of(membership_id)
    row = directory_memberships.with_id(call.db, instance.identity_store_id, wanted) if instance else None
    group_id, user_id = (row.group_id, row.user_id) if row else ("*", "*")
    arns = (targets.group_arn(group_id), targets.user_arn(user_id), targets.membership_arn(wanted))
    return targets.about(call, identity_store_id, targets.InStore(instance, membership=row), *arns)


def of_group(call: Call, *, identity_store_id: str, group_id: str, **_: object) -> Target:
    """All memberships of a group."""
    found = targets.find(call, identity_store_id, group_id=group_id)
    arns = (targets.group_arn(targets.id_of(group_id)), targets.membership_arn("*"))
    return targets.about(call, identity_store_id, found, *arns)


def of_member(call: Call, *, identity_store_id: str, member_id: Member, **_: object) -> Target:
    """All memberships of a user."""
    found = targets.find(call, identity_store_id, user_id=member_id.get("UserId"))
    return targets.about(call, identity_store_id, found, _user_arn(member_id), targets.membership_arn("*"))


def in_groups(call: Call, *, identity_store_id: str, member_id: Member, group_ids: Sequence[str], **_: object) -> Target:
    """A user, the groups that are asked about, and their memberships."""
    found = targets.find(call, identity_store_id, user_id=member_id.get("UserId"))
    asked = (targets.group_arn(targets.id_of(each)) for each in group_ids)
    return targets.about(call, identity_store_id, found, _user_arn(member_id), *asked, targets.membership_arn("*"))


@identity_store.operation("CreateGroupMembership", resource=pair, effect=Effect.STATE)
def create_group_membership(call: Call, *, identity_store_id: str, group_id: str, member_id: Member) -> Result:
    """Put a user into a group; what the group may take the user may take from the next request on."""
    instance = targets.required_store(call, identity_store_id)
    user_id = users.required(call, identity_store_id, member_id["UserId"]).user_id
    # The group decides who may do this: whoever is put into it may take what it may.
    group_id = groups.changeable(call, identity_store_id, group_id).group_id
    if _between(call, instance, group_id, member_id) is not None:
        raise directory.not_unique("Member and Group relationship already exists.")
    row = DirectoryMembershipRow(
        identity_store_id=instance.identity_store_id,
        membership_id=instances.entity_id(),
        account_id=instance.account_id,
        group_id=group_id,
        user_id=user_id,
        created_at=call.now,
        created_by=call.principal.arn,
    )
    directory_memberships.add(call.db, row)
    return _named(row)


@identity_store.operation("DescribeGroupMembership", resource=membership)
def describe_group_membership(call: Call, *, identity_store_id: str, membership_id: str) -> Result:
    """Return a membership."""
    return _describe(_required(call, identity_store_id, membership_id))


@identity_store.operation("DeleteGroupMembership", resource=membership, effect=Effect.STATE)
def delete_group_membership(call: Call, *, identity_store_id: str, membership_id: str) -> Result:
    """Take a user out of a group."""
    row = _required(call, identity_store_id, membership_id)
    assignments.require_people_within_reach(call, targets.required_store(call, identity_store_id), [row.group_id])
    directory_memberships.remove(call.db, row.identity_store_id, row.membership_id)
    return NOTHING


@identity_store.operation("GetGroupMembershipId", resource=paired_membership)
def get_group_membership_id(call: Call, *, identity_store_id: str, group_id: str, member_id: Member) -> Result:
    """Return the id of the membership of a user in a group."""
    targets.required_store(call, identity_store_id)
    row = targets.targeted(call).membership
    if row is None:
        raise targets.not_found("GROUP_MEMBERSHIP", "")
    return _named(row)


@identity_store.operation("ListGroupMemberships", resource=of_group)
def list_group_memberships(
    call: Call, *, identity_store_id: str, group_id: str, max_results: int | None = None, next_token: str | None = None
) -> Result:
    """List who is in a group."""
    group = groups.required(call, identity_store_id, group_id)
    place = (group.identity_store_id, group.group_id)
    listed, more = next_tokens.page(
        call,
        list_name="ListGroupMemberships",
        filters=place,
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: directory_memberships.page_of_group(call.db, *place, after=after, limit=limit),
        key=lambda row: row.user_id,
    )
    return {"GroupMemberships": [_describe(row) for row in listed], **more}


@identity_store.operation("ListGroupMembershipsForMember", resource=of_member)
def list_group_memberships_for_member(
    call: Call,
    *,
    identity_store_id: str,
    member_id: Member,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List which groups a user is in."""
    user = users.required(call, identity_store_id, member_id["UserId"])
    place = (user.identity_store_id, user.user_id)
    listed, more = next_tokens.page(
        call,
        list_name="ListGroupMembershipsForMember",
        filters=place,
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: directory_memberships.page_of_user(call.db, *place, after=after, limit=limit),
        key=lambda row: row.group_id,
    )
    return {"GroupMemberships": [_describe(row) for row in listed], **more}


@identity_store.operation("IsMemberInGroups", resource=in_groups)
def is_member_in_groups(call: Call, *, identity_store_id: str, member_id: Member, group_ids: Sequence[str]) -> Result:
    """Tell of each group whether a user is in it."""
    user = users.required(call, identity_store_id, member_id["UserId"])
    asked = [targets.id_of(each) for each in group_ids]
    # A group that doesn't exist is an error, and not one that the user is not in.
    missing = set(asked) - directory_groups.existing(call.db, user.identity_store_id, asked)
    if missing:
        raise targets.not_found("GROUP", min(missing))
    found = directory_memberships.groups_among(call.db, user.identity_store_id, user.user_id, asked)
    member = {"UserId": user.user_id}
    return {"Results": [{"GroupId": each, "MemberId": member, "MembershipExists": each in found} for each in asked]}


def _user_arn(member_id: Member) -> str:
    return targets.user_arn(targets.id_of(member_id.get("UserId", "*")))


def _between(call: Call, instance: InstanceRow, group_id: str, member_id: Member) -> DirectoryMembershipRow | None:
    if "UserId" not in member_id:
        return None
    names = {"group_id": targets.id_of(group_id), "user_id": targets.id_of(member_id["UserId"])}
    return directory_memberships.between(call.db, instance.identity_store_id, **names)


def _required(call: Call, identity_store_id: str, membership_id: str) -> DirectoryMembershipRow:
    targets.required_store(call, identity_store_id)
    row = targets.targeted(call).membership
    if row is None:
        raise targets.not_found("GROUP_MEMBERSHIP", targets.id_of(membership_id))
    return row


def _named(row: DirectoryMembershipRow) -> dict[str, object]:
    return {
        "IdentityStoreId": row.identity_store_id,
        "MembershipId": row.membership_id,
        "MembershipArn": targets.membership_arn(row.membership_id),
    }


def _describe(row: DirectoryMembershipRow) -> dict[str, object]:
    made = {"CreatedAt": row.created_at, "CreatedBy": row.created_by, "UpdatedAt": row.created_at, "UpdatedBy": row.created_by}
    return {**_named(row), "GroupId": row.group_id, "MemberId": {"UserId": row.user_id}, **made}
