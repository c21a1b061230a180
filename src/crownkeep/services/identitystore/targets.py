"""What calls are about, as policies name it: the identity store, and in it a user, a group, a membership, or all of a kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crownkeep import errors
from crownkeep.domain.single_sign_on import directory, instances
from crownkeep.operations.call import Call
from crownkeep.operations.registry import EVERYTHING, Target
from crownkeep.storage.single_sign_on import directory_groups, directory_users
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.directory_memberships import DirectoryMembershipRow
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_ARN = "arn:aws:identitystore:::"
_PRIMARY_REGION = "identitystore:PrimaryRegion"


def user_arn(user_id: str) -> str:
    """Return a user's ARN."""
    return f"{_ARN}user/{user_id}"


def group_arn(group_id: str) -> str:
    """Return a group's ARN."""
    return f"{_ARN}group/{group_id}"


def membership_arn(membership_id: str) -> str:
    """Return a membership's ARN."""
    return f"{_ARN}membership/{membership_id}"


def id_of(name: str) -> str:
    """Return the id in what names a user, group or membership: that id, or an ARN."""
    return name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class InStore:
    """What a call is about: the instance whose identity store it names, and what it names in there; None for what isn't there."""

    instance: InstanceRow | None
    user: DirectoryUserRow | None = None
    group: DirectoryGroupRow | None = None
    membership: DirectoryMembershipRow | None = None


# What an action is done to.


def everything(call: Call, **_: object) -> Target:
    """Every identity store that the caller may see."""
    return EVERYTHING


def store(call: Call, *, identity_store_id: str, **_: object) -> Target:
    """The identity store with this id or ARN."""
    return about(call, identity_store_id, find(call, identity_store_id))


def user(call: Call, *, identity_store_id: str, user_id: str, **_: object) -> Target:
    """A user, and the store that it is in."""
    return about(call, identity_store_id, find(call, identity_store_id, user_id=user_id), user_arn(id_of(user_id)))


def group(call: Call, *, identity_store_id: str, group_id: str, **_: object) -> Target:
    """A group, and the store that it is in."""
    return about(call, identity_store_id, find(call, identity_store_id, group_id=group_id), group_arn(id_of(group_id)))


def all_users(call: Call, *, identity_store_id: str, **_: object) -> Target:
    """All users of a store."""
    return about(call, identity_store_id, find(call, identity_store_id), user_arn("*"))


def all_groups(call: Call, *, identity_store_id: str, **_: object) -> Target:
    """All groups of a store."""
    return about(call, identity_store_id, find(call, identity_store_id), group_arn("*"))


def find(call: Call, identity_store_id: str, *, user_id: str | None = None, group_id: str | None = None) -> InStore:
    """Find a store that the caller may see, and a user and a group in it by their ids or ARNs."""
    instance = instances.visible_store(call, identity_store_id)
    if instance is None:
        return InStore(None)
    place = (call.db, instance.identity_store_id)
    return InStore(
        instance,
        user=None if user_id is None else directory_users.with_id(*place, id_of(user_id)),
        group=None if group_id is None else directory_groups.with_id(*place, id_of(group_id)),
    )


def about(call: Call, identity_store_id: str, found: InStore, *arns: str) -> Target:
    """Return what these ARNs name, and the store that they are in, with what was found there."""
    if found.instance is None:
        within = Target(f"arn:aws:identitystore::{call.account_id}:identitystore/{id_of(identity_store_id)}", row=found)
    else:
        within = Target(instances.store_arn(found.instance), context={_PRIMARY_REGION: found.instance.region}, row=found)
    if not arns:
        return within
    # A call must be allowed on each of them, and on the store as well.
    first, *others = (replace(within, arn=each) for each in arns)
    return replace(first, further=(within, *others))


# The same for handlers.


def targeted(call: Call) -> InStore:
    """Return what the call was decided on."""
    return call.target_row(InStore) or InStore(None)


def required_store(call: Call, identity_store_id: str) -> InstanceRow:
    """Return the instance that an identity store is of; raises ResourceNotFoundException where the caller has no such store."""
    instance = targeted(call).instance
    if instance is None:
        raise not_found("IDENTITY_STORE", id_of(identity_store_id))
    return instance


def not_found(kind: str, resource_id: str) -> errors.ResourceNotFound:
    """Return the refusal of a call about what doesn't exist; `kind` is the model's `ResourceType`, such as `USER`."""
    members = {"ResourceType": kind, "ResourceId": resource_id}
    return errors.ResourceNotFound(f"{kind} not found.", members=members)


def require_revision(wanted: str | None, revision: int) -> None:
    """Raise ConflictException where the caller has seen another revision than the present one."""
    if wanted is not None and int(wanted) != revision:
        raise directory.changed_meanwhile()
