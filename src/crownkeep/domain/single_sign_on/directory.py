"""People and groups of an identity store as they are made, changed and deleted, by an operation or another directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from crownkeep import errors
from crownkeep.domain.single_sign_on import assignments, instances, leaving
from crownkeep.operations.call import Call
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import directory_groups, directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_groups import DirectoryGroupRow
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

Attributes = Mapping[str, Any]


def make_user(
    call: Call, instance: InstanceRow, held: Attributes, *, by: str, external_id: str | None = None, is_active: bool = True
) -> DirectoryUserRow:
    """Make a person with these attributes, by the API's names; raises ValidationException and ConflictException."""
    return add_user(call.db, instance, held, by=by, now=call.now, external_id=external_id, is_active=is_active)


def add_user(
    db: Transaction,
    instance: InstanceRow,
    held: Attributes,
    *,
    by: str,
    now: datetime,
    external_id: str | None = None,
    is_active: bool = True,
) -> DirectoryUserRow:
    """Do the same where no operation is called, as for somebody who signs in for the first time."""
    made = DirectoryUserRow(
        identity_store_id=instance.identity_store_id,
        user_id=instances.entity_id(),
        account_id=instance.account_id,
        user_name="",
        user_name_key="",
        email_key=None,
        external_id=external_id,
        is_active=is_active,
        attributes="",
        revision=1,
        created_at=now,
        created_by=by,
        updated_at=now,
        updated_by=by,
    )
    made = _with(made, held)
    # Asked beforehand for the sake of the error's words. The table's own unique indexes are what holds against two calls at once.
    _require_unique_user(db, made)
    directory_users.add(db, made)
    return made


def change_user(call: Call, before: DirectoryUserRow, held: Attributes, *, by: str, **columns: Any) -> DirectoryUserRow:
    """Give a person these attributes instead, and other values of `external_id` or `is_active`.

    Whoever may not sign in any more loses every session at once, and does not get them back with the permission.
    """
    after = _with(replace(before, **columns), held)
    after = replace(after, updated_at=call.now, updated_by=by, revision=before.revision + 1)
    _require_unique_user(call.db, after)
    # The change is written only where the row still has the revision that was read, so no other change is lost.
    if not directory_users.change(call.db, before, after):
        raise changed_meanwhile()
    # Disabling somebody is what is done in an emergency, so it must reach those who are signed in.
    if before.is_active and not after.is_active:
        browser_sessions.end_others(call.db, before.account_id, UUID(before.user_id).hex, but=b"", at=call.now)
    return after


def delete_user(call: Call, instance: InstanceRow, row: DirectoryUserRow) -> None:
    """Delete a person: memberships, assignments and whatever sessions rest on them end at once."""
    # In this order nobody is found through what is half gone, and roles go with their last assignment.
    directory_memberships.remove_user(call.db, row.identity_store_id, row.user_id)
    assignments.forget_principal(call, instance, row.user_id)
    leaving.forget_person(call.db, row, at=call.now)
    directory_users.remove(call.db, row.identity_store_id, row.user_id)


def make_group(
    call: Call,
    instance: InstanceRow,
    display_name: str,
    *,
    by: str,
    description: str | None = None,
    external_id: str | None = None,
) -> DirectoryGroupRow:
    """Make a group with nobody in it; raises ConflictException."""
    row = DirectoryGroupRow(
        identity_store_id=instance.identity_store_id,
        group_id=instances.entity_id(),
        account_id=instance.account_id,
        display_name=display_name,
        display_name_key=display_name.lower(),
        description=description,
        external_id=external_id,
        revision=1,
        created_at=call.now,
        created_by=by,
        updated_at=call.now,
        updated_by=by,
    )
    _require_unique_group(call, row)
    directory_groups.add(call.db, row)
    return row


def change_group(call: Call, before: DirectoryGroupRow, *, by: str, **columns: Any) -> DirectoryGroupRow:
    """Give a group another `display_name`, `description` or `external_id`; raises ConflictException."""
    after = replace(before, **columns)
    # Names are compared without regard to case, as AWS does.
    key = after.display_name.lower()
    after = replace(after, display_name_key=key, updated_at=call.now, updated_by=by, revision=before.revision + 1)
    _require_unique_group(call, after)
    if not directory_groups.change(call.db, before, after):
        raise changed_meanwhile()
    return after


def delete_group(call: Call, instance: InstanceRow, row: DirectoryGroupRow) -> None:
    """Delete a group: what its people could take through it they can't take any more."""
    directory_memberships.remove_group(call.db, row.identity_store_id, row.group_id)
    assignments.forget_principal(call, instance, row.group_id)
    directory_groups.remove(call.db, row.identity_store_id, row.group_id)


def held(row: DirectoryUserRow) -> dict[str, Any]:
    """Return the attributes of a person, by the API's names."""
    kept: dict[str, Any] = json.loads(row.attributes)
    return kept


def not_unique(text: str) -> errors.Conflict:
    """Return the refusal of a name that somebody else has."""
    return errors.Conflict(text, members={"Reason": "UNIQUENESS_CONSTRAINT_VIOLATION"})


def changed_meanwhile() -> errors.Conflict:
    """Return the refusal of a change to what somebody else has changed since it was read."""
    return errors.Conflict("The resource was modified by another request.", members={"Reason": "CONCURRENT_MODIFICATION"})


def _with(row: DirectoryUserRow, held: Attributes) -> DirectoryUserRow:
    """Return a person with these attributes, and what it is found by."""
    _require_complete(held)
    # The first address is the one that a person is found by, and the only one that must be unique.
    name, emails = held["UserName"], held.get("Emails") or [{}]
    email = emails[0].get("Value")
    return replace(
        row,
        user_name=name,
        user_name_key=name.lower(),
        email_key=email.lower() if email else None,
        # In a fixed order, so that equal attributes are equal texts.
        attributes=json.dumps(dict(held), ensure_ascii=False, sort_keys=True),
    )


def _require_complete(held: Attributes) -> None:
    if "UserName" not in held:
        raise errors.ServiceValidation("userName is a required attribute")
    name = held.get("Name")
    missing = [] if "DisplayName" in held else ["displayname"]
    if name is None:
        missing.append("name")
    else:
        missing += [member.lower() for member in ("GivenName", "FamilyName") if member not in name]
    if missing:
        raise errors.ServiceValidation(", ".join(f"{each}: The attribute {each} is required" for each in missing))


def _require_unique_user(db: Transaction, row: DirectoryUserRow) -> None:
    store_id = row.identity_store_id
    found = {"Duplicate UserName": directory_users.named(db, store_id, row.user_name)}
    if row.email_key is not None:
        found["Duplicate Email"] = directory_users.with_email(db, store_id, row.email_key)
    if row.external_id is not None:
        found["Duplicate ExternalId"] = directory_users.with_external_id(db, store_id, row.external_id)
    for text, other in found.items():
        # Nobody is in the way of themselves: most changes leave the name as it was.
        if other is not None and other.user_id != row.user_id:
            raise not_unique(text)


def _require_unique_group(call: Call, row: DirectoryGroupRow) -> None:
    store_id = row.identity_store_id
    found = {"Duplicate GroupDisplayName": directory_groups.named(call.db, store_id, row.display_name)}
    if row.external_id is not None:
        found["Duplicate ExternalId"] = directory_groups.with_external_id(call.db, store_id, row.external_id)
    for text, other in found.items():
        if other is not None and other.group_id != row.group_id:
            raise not_unique(text)
