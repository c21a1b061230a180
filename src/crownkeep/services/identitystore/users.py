"""People of an identity store: their attributes, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import assignments, directory
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.identitystore import attributes, targets
from crownkeep.services.identitystore.service import identity_store
from crownkeep.storage.single_sign_on import directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_UNIQUE = ("username", "emails.value")
# In the order in which CreateUser puts what it was given together.
_MEMBERS = (
    *("UserName", "Name"),
    *("DisplayName", "NickName", "ProfileUrl", "UserType", "Title"),
    *("PreferredLanguage", "Locale", "Timezone", "Website", "Birthdate"),
    *("Emails", "Addresses", "PhoneNumbers", "Photos", "Roles"),
    "Extensions",
)
Structure = Mapping[str, Any]
Structures = Sequence[Structure]


def found_user(call: Call, *, identity_store_id: str, alternate_identifier: Structure, **_: object) -> Target:
    """The user that an alternate identifier names, or any where there is none."""
    instance = targets.find(call, identity_store_id).instance
    row = None if instance is None else _alternate(call, instance, alternate_identifier)
    found = targets.InStore(instance, user=row)
    return targets.about(call, identity_store_id, found, targets.user_arn(row.user_id if row else "*"))


@identity_store.operation("CreateUser", resource=targets.store, effect=Effect.STATE)
def create_user(
    call: Call,
    *,
    identity_store_id: str,
    user_name: str | None = None,
    name: Structure | None = None,
    display_name: str | None = None,
    nick_name: str | None = None,
    profile_url: str | None = None,
    emails: Structures | None = None,
    addresses: Structures | None = None,
    phone_numbers: Structures | None = None,
    user_type: str | None = None,
    title: str | None = None,
    preferred_language: str | None = None,
    locale: str | None = None,
    timezone: str | None = None,
    photos: Structures | None = None,
    website: str | None = None,
    birthdate: str | None = None,
    roles: Structures | None = None,
    extensions: Structure | None = None,
) -> Result:
    """Make a person who has no password yet and may take nothing."""
    instance = targets.required_store(call, identity_store_id)
    described = (display_name, nick_name, profile_url, user_type, title, preferred_language, locale, timezone, website, birthdate)
    listed = (emails, addresses, phone_numbers, photos, roles)
    # Zipped strictly: a value without its member here would shift all that follow it.
    values = (user_name, name, *described, *listed, extensions)
    given = dict(zip(_MEMBERS, values, strict=True))
    held = {member: value for member, value in given.items() if value is not None}
    made = directory.make_user(call, instance, held, by=call.principal.arn)
    return _named(made)


@identity_store.operation("DescribeUser", resource=targets.user)
def describe_user(call: Call, *, identity_store_id: str, user_id: str, extensions: Sequence[str] = ()) -> Result:
    """Return a person."""
    return _describe(required(call, identity_store_id, user_id), extensions)


@identity_store.operation("ListUsers", resource=targets.all_users)
def list_users(
    call: Call,
    *,
    identity_store_id: str,
    extensions: Sequence[str] = (),
    max_results: int | None = None,
    next_token: str | None = None,
    filters: Sequence[Mapping[str, str]] = (),
) -> Result:
    """List the people of a store, or the one with the user name that a filter asks for."""
    instance = targets.required_store(call, identity_store_id)
    if filters:
        found = _filtered(call, instance.identity_store_id, filters)
        return {"Users": [_describe(row, extensions) for row in found]}
    listed, more = next_tokens.page(
        call,
        list_name="ListUsers",
        filters=(instance.identity_store_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: directory_users.page(call.db, instance.identity_store_id, after=after, limit=limit),
        key=lambda row: row.user_id,
    )
    return {"Users": [_describe(row, extensions) for row in listed], **more}


@identity_store.operation("UpdateUser", resource=targets.user, effect=Effect.STATE)
def update_user(
    call: Call, *, identity_store_id: str, user_id: str, operations: Structures, revision: str | None = None
) -> Result:
    """Change attributes of a person; with a revision, only where nobody has changed anything since."""
    row = changeable(call, identity_store_id, user_id)
    targets.require_revision(revision, row.revision)
    shape = identity_store.model.shapes["User"]
    held = attributes.changed(directory.held(row), operations, shape)
    after = directory.change_user(call, row, held, by=call.principal.arn)
    return _named(after)


@identity_store.operation("DeleteUser", resource=targets.user, effect=Effect.STATE)
def delete_user(call: Call, *, identity_store_id: str, user_id: str, revision: str | None = None) -> Result:
    """Delete a person: memberships, assignments and whatever sessions rest on them end at once."""
    instance = targets.required_store(call, identity_store_id)
    row = changeable(call, identity_store_id, user_id)
    targets.require_revision(revision, row.revision)
    directory.delete_user(call, instance, row)
    return NOTHING


@identity_store.operation("GetUserId", resource=found_user)
def get_user_id(call: Call, *, identity_store_id: str, alternate_identifier: Structure) -> Result:
    """Return the id of the person with this user name or e-mail address."""
    instance = targets.required_store(call, identity_store_id)
    row = targets.targeted(call).user
    if row is None:
        _refuse_unless_unique(alternate_identifier)
        raise targets.not_found("USER", "")
    shown = {"UserId": row.user_id, "UserArn": targets.user_arn(row.user_id)}
    return {"IdentityStoreId": instance.identity_store_id, **shown}


def required(call: Call, identity_store_id: str, user_id: str) -> DirectoryUserRow:
    """Return the person that the call was decided on; raises ResourceNotFoundException where there is none."""
    targets.required_store(call, identity_store_id)
    row = targets.targeted(call).user
    if row is None:
        raise targets.not_found("USER", targets.id_of(user_id))
    return row


def changeable(call: Call, identity_store_id: str, user_id: str) -> DirectoryUserRow:
    """Return a person for a change; raises AccessDenied where a delegated administrator would reach the management account."""
    row = required(call, identity_store_id, user_id)
    instance = targets.required_store(call, identity_store_id)
    # With the groups: a person may reach the management account through one of them alone.
    principals = [row.user_id, *directory_memberships.groups_of(call.db, row.identity_store_id, row.user_id)]
    assignments.require_people_within_reach(call, instance, principals)
    return row


def _alternate(call: Call, instance: InstanceRow, identifier: Structure) -> DirectoryUserRow | None:
    asked = identifier.get("UniqueAttribute")
    if asked is None or not isinstance(asked.get("AttributeValue"), str):
        return None
    match asked["AttributePath"].lower():
        case "username":
            return directory_users.named(call.db, instance.identity_store_id, asked["AttributeValue"])
        case "emails.value":
            return directory_users.with_email(call.db, instance.identity_store_id, asked["AttributeValue"])
        case _:
            return None


def _refuse_unless_unique(identifier: Structure) -> None:
    asked = identifier.get("UniqueAttribute")
    if asked is None:
        return
    if not isinstance(asked.get("AttributeValue"), str) or not asked["AttributeValue"]:
        raise errors.ServiceValidation("attribute value cannot be empty or null for attribute path")
    if asked["AttributePath"].lower() not in _UNIQUE:
        raise errors.ServiceValidation(f"The attribute {asked['AttributePath']} is not a unique attribute")


def _filtered(call: Call, store_id: str, filters: Sequence[Mapping[str, str]]) -> list[DirectoryUserRow]:
    path, value = filters[0]["AttributePath"], filters[0]["AttributeValue"]
    if path.lower() != "username":
        raise errors.ServiceValidation(f"The attribute {path} can't be filtered by: UserName can.")
    found = directory_users.named(call.db, store_id, value)
    return [] if found is None else [found]


def _named(row: DirectoryUserRow) -> Result:
    return {
        "IdentityStoreId": row.identity_store_id,
        "UserId": row.user_id,
        "UserArn": targets.user_arn(row.user_id),
        "Revision": str(row.revision),
    }


def _describe(row: DirectoryUserRow, extensions: Sequence[str]) -> dict[str, object]:
    held = directory.held(row)
    extended = {name: value for name, value in held.pop("Extensions", {}).items() if name in extensions}
    return {
        **_named(row),
        **held,
        **({"Extensions": extended} if extended else {}),
        "UserStatus": "ENABLED" if row.is_active else "DISABLED",
        "CreatedAt": row.created_at,
        "CreatedBy": row.created_by,
        "UpdatedAt": row.updated_at,
        "UpdatedBy": row.updated_by,
    }
