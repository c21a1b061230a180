"""People, as another directory provisions them."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import directory, scim_bearers
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.services.scim import bearers, bodies, pages, patches, recorded, resources
from crownkeep.services.scim.pages import Listing, ListingAsked
from crownkeep.services.scim.resources import Provisioned
from crownkeep.services.scim.service import scim
from crownkeep.storage.single_sign_on import directory_users
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

_KNOWN = {"username": "userName", "externalid": "externalId", "id": "id", "manager": "manager", "manager.value": "manager"}
_TOGETHER = [frozenset(each) for each in (("userName",), ("externalId",), ("id",), ("id", "manager"))]


@scim.operation("CreateUser", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def create_user(call: Call, *, tenant_id: str, bearer_token: str | None = None, http_body: bytes | None = None) -> Result:
    """Make a person who has no password and may take nothing."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    wanted = resources.person_in(recorded.read(call, http_body, bodies.USER))
    made = directory.make_user(
        call,
        instance,
        wanted.held,
        by=bearers.by(instance),
        external_id=wanted.external_id,
        is_active=wanted.is_active,
    )
    return _shown(call, instance, made, is_new=True)


@scim.operation("GetUser", resource=no_resource, permission=Permission.NONE)
def get_user(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None) -> Result:
    """Return a person."""
    instance = bearers.reading(call, tenant_id, bearer_token)
    return bodies.sent(resources.person(_required(call, instance, id), scim_bearers.endpoint(call.settings.url, instance)))


@scim.operation("ListUsers", resource=no_resource, permission=Permission.NONE)
def list_users(
    call: Call,
    *,
    tenant_id: str,
    bearer_token: str | None = None,
    filter: str | None = None,
    count: str | None = None,
    cursor: str | None = None,
) -> Result:
    """List people, or find one by a filter."""
    return pages.answer(call, _LISTING, ListingAsked(tenant_id, bearer_token, filter, count, cursor))


@scim.operation("PutUser", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def put_user(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None, http_body: bytes | None = None) -> Result:
    """Put what is sent in the place of a person's attributes."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    row = _required(call, instance, id)
    return _changed(call, instance, row, resources.person_in(recorded.read(call, http_body, bodies.USER)))


@scim.operation("PatchUser", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def patch_user(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None, http_body: bytes | None = None) -> Result:
    """Change attributes of a person."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    row = _required(call, instance, id)
    wanted = patches.read(recorded.read(call, http_body, bodies.PATCH))
    for each in wanted:
        if each.verb == "remove" and each.path.lower() in ("username", "active"):
            raise bodies.unparsable(f"{each.path} can't be removed")
    before = resources.person(row, scim_bearers.endpoint(call.settings.url, instance))
    return _changed(call, instance, row, resources.person_in(patches.patched(before, wanted)))


@scim.operation("DeleteUser", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def delete_user(call: Call, *, tenant_id: str, id: str, bearer_token: str | None = None) -> Result:
    """Delete a person: what they could take they can't take any more."""
    instance = bearers.writing(call, tenant_id, bearer_token)
    directory.delete_user(call, instance, _required(call, instance, id))
    return NOTHING


def _changed(call: Call, instance: InstanceRow, row: DirectoryUserRow, wanted: Provisioned) -> Result:
    columns = {"external_id": wanted.external_id, "is_active": wanted.is_active}
    # What SCIM has no word for stays as the API has set it.
    kept = {name: each for name, each in directory.held(row).items() if name in ("Photos", "Website", "Birthdate")}
    return _shown(call, instance, directory.change_user(call, row, {**kept, **wanted.held}, by=bearers.by(instance), **columns))


def _required(call: Call, instance: InstanceRow, user_id: str) -> DirectoryUserRow:
    row = directory_users.with_id(call.db, instance.identity_store_id, user_id)
    if row is None:
        raise errors.ResourceNotFound("User not found.")
    call.notes.resources.append(("AWS::IdentityStore::User", row.user_id))
    return row


def _filtered(call: Call, instance: InstanceRow, asked: dict[str, str]) -> list[DirectoryUserRow]:
    store_id = instance.identity_store_id
    if "userName" in asked:
        found = directory_users.named(call.db, store_id, asked["userName"])
    elif "externalId" in asked:
        found = directory_users.with_external_id(call.db, store_id, asked["externalId"])
    else:
        found = directory_users.with_id(call.db, store_id, asked["id"])
    if found is not None and "manager" in asked:
        extension = directory.held(found).get("Extensions", {}).get("aws:identitystore:enterprise", {})
        found = found if extension.get("manager", {}).get("value") == asked["manager"] else None
    return [] if found is None else [found]


def _shown(call: Call, instance: InstanceRow, row: DirectoryUserRow, *, is_new: bool = False) -> Result:
    endpoint = scim_bearers.endpoint(call.settings.url, instance)
    resource = resources.person(row, endpoint)
    recorded.note_answer(call, row, resource)
    if is_new:
        call.notes.resources.append(("AWS::IdentityStore::User", row.user_id))
    return bodies.sent(resource, location=f"{endpoint}/Users/{row.user_id}" if is_new else "")


_LISTING = Listing(
    "ScimUsers",
    _KNOWN,
    _TOGETHER,
    filtered=_filtered,
    fetch=lambda call, instance, after, limit: directory_users.page(
        call.db, instance.identity_store_id, after=after, limit=limit
    ),
    key=lambda row: row.user_id,
    shown=resources.person,
)
