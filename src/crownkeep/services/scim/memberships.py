"""Who is in a group, as PATCH and POST say it: one after the other, each once, people of the same store alone."""

from __future__ import annotations

import re

from crownkeep import errors
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import Call
from crownkeep.services.scim import bearers, bodies, patches
from crownkeep.services.scim.patches import Patch
from crownkeep.storage.single_sign_on import directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_memberships import DirectoryMembershipRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_ONE = re.compile(r'members\[value eq "([^"\\]{1,128})"\]', re.IGNORECASE)


def apply(call: Call, instance: InstanceRow, group_id: str, patch: Patch) -> int:
    """Carry out one operation on the members of a group, and return how many it names; raises ValidationException."""
    one = _ONE.fullmatch(patch.path)
    if patch.verb == "remove" and one is not None:
        named = [one[1]]
    elif patch.path.lower() == "members":
        named = ids_in(patch.value)
    elif not patch.path and set(patch.value) == {"members"}:
        named = ids_in(patch.value["members"])
    else:
        raise bodies.unparsable(f"the path {patch.path[:128]} is not supported")
    if patch.verb == "replace" or not named:
        raise bodies.unparsable("members are added and removed, each by its id: not replaced, and not removed all at once")
    if patch.verb == "add":
        put(call, instance, group_id, named)
    else:
        _take_out(call, instance, group_id, named)
    return len(named)


def ids_in(value: object) -> list[str]:
    """Return the ids in a list of members; raises ValidationException."""
    listed = value if isinstance(value, list) else []
    if value is not None and not isinstance(value, list):
        raise bodies.unparsable("members is a list")
    if len(listed) > patches.MOST:
        raise bodies.unparsable(f"at most {patches.MOST} members are changed in one request")
    if not all(isinstance(each, dict) and isinstance(each.get("value"), str) for each in listed):
        raise bodies.unparsable("each of members has a value, the id of a person")
    return [each["value"] for each in listed]


def put(call: Call, instance: InstanceRow, group_id: str, user_ids: list[str]) -> None:
    """Put people into a group; who is in it already stays."""
    store_id = instance.identity_store_id
    # All are looked up before any is put in, in one query: a group never gets a part of a request.
    missing = set(user_ids) - directory_users.existing(call.db, store_id, user_ids)
    if missing:
        raise errors.ResourceNotFound("User not found.")
    for user_id in dict.fromkeys(user_ids):
        if directory_memberships.between(call.db, store_id, group_id=group_id, user_id=user_id) is None:
            row = DirectoryMembershipRow(
                identity_store_id=store_id,
                membership_id=instances.entity_id(),
                account_id=instance.account_id,
                group_id=group_id,
                user_id=user_id,
                created_at=call.now,
                created_by=bearers.by(instance),
            )
            directory_memberships.add(call.db, row)


def _take_out(call: Call, instance: InstanceRow, group_id: str, user_ids: list[str]) -> None:
    for user_id in user_ids:
        row = directory_memberships.between(call.db, instance.identity_store_id, group_id=group_id, user_id=user_id)
        if row is not None:
            directory_memberships.remove(call.db, instance.identity_store_id, row.membership_id)
