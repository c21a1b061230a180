"""Access keys: at most two for each user and for root; the secret is shown once, when a key is made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crownkeep import arn, errors
from crownkeep.domain import page_tokens
from crownkeep.domain.credentials import long_term_keys
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import owners, users
from crownkeep.services.iam.identities.owners import Owner
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.identities import users as user_rows
from crownkeep.storage.identities.users import UserRow

RESOURCE_TYPE = "AWS::IAM::AccessKey"
_STATUSES = ("Active", "Inactive")
_NEVER_USED = "N/A"


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A key of the account, and the user that has it; None for root's."""

    key: AccessKeyRow
    user: UserRow | None


def owner_of_key(call: Call, *, access_key_id: str, **_: object) -> Target:
    """The user or root that has the key, whom a refusal doesn't name; no resource where it is none of the account's."""
    row = _of_account(call, access_key_id)
    user = user_rows.with_id(call.db, call.account_id, row.owner_id) if row is not None else None
    if row is not None and row.owner_id == call.account_id:
        found = Target(arn.root(call.account_id), row=KeyOwner(row, None))
    else:
        # A key of another account and one that never existed are decided on alike.
        found = registry.NO_RESOURCE if user is None else users.target_of(call, user)
        found = replace(found, row=None if row is None else KeyOwner(row, user))
    return replace(found, shown=f"access key {access_key_id}")


@iam.operation("CreateAccessKey", resource=owners.target, effect=Effect.STATE)
def create_access_key(call: Call, *, user_name: str | None = None) -> Result:
    """Make a key for a user, or for the caller; the answer is the only place where its secret is shown."""
    owner = owners.targeted(call, user_name)
    count = len(access_keys.of_owner(call.db, call.account_id, owner.owner_id))
    quotas.require_room(call, count, quotas.ACCESS_KEYS_PER_USER, name="AccessKeysPerUser")
    # The secret leaves the server here and never again: only its sealed form is stored.
    row, secret = long_term_keys.add(call, call.account_id, owner.owner_id)
    _note(call, owner, row.access_key_id)
    key = {
        **owner.members,
        "AccessKeyId": row.access_key_id,
        "Status": row.status,
        "SecretAccessKey": secret.reveal(),
        "CreateDate": row.created_at,
    }
    return {"AccessKey": key}


@iam.operation("ListAccessKeys", resource=owners.target)
def list_access_keys(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the keys of a user, or of the caller, the oldest first; their secrets are shown to nobody."""
    owner = owners.targeted(call, user_name)
    rows = access_keys.of_owner(call.db, call.account_id, owner.owner_id)
    found, more = page_tokens.page(
        call,
        list_name="ListAccessKeys",
        filters=(owner.owner_id,),
        marker=marker,
        max_items=max_items,
        # There are two keys at most, so they are read once and paged in memory.
        fetch=lambda after, limit: [row for row in rows if _position(row) > after][:limit],
        key=_position,
    )
    return {
        "AccessKeyMetadata": [
            {
                **owner.members,
                "AccessKeyId": row.access_key_id,
                "Status": row.status,
                "CreateDate": row.created_at,
            }
            for row in found
        ],
        **more,
    }


@iam.operation("UpdateAccessKey", resource=owners.target)
def update_access_key(call: Call, *, access_key_id: str, status: str, user_name: str | None = None) -> Result:
    """Let a key sign, or no longer; it takes effect on the next request."""
    owner = owners.targeted(call, user_name)
    if status not in _STATUSES:
        # The model's enum has `Expired`, which AWS alone sets.
        raise errors.InvalidInput(f"The status {status} is not valid for an access key.")
    row = _required(call, owner, access_key_id)
    access_keys.set_status(call.db, call.account_id, row.access_key_id, status)
    _note(call, owner, row.access_key_id)
    return NOTHING


@iam.operation("DeleteAccessKey", resource=owners.target)
def delete_access_key(call: Call, *, access_key_id: str, user_name: str | None = None) -> Result:
    """Delete a key for good; the very next request that is signed with it fails."""
    owner = owners.targeted(call, user_name)
    row = _required(call, owner, access_key_id)
    access_keys.remove(call.db, call.account_id, row.access_key_id)
    _note(call, owner, row.access_key_id)
    return NOTHING


@iam.operation("GetAccessKeyLastUsed", resource=owner_of_key)
def get_access_key_last_used(call: Call, *, access_key_id: str) -> Result:
    """Return whose key it is, and when, where and for which service it was last used."""
    found = call.target_row(KeyOwner)
    if found is None:
        # As if the caller had no permission: nobody learns which keys exist elsewhere.
        raise errors.AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: "
            f"access key {access_key_id}"
        )
    row = found.key
    used: dict[str, object] = {
        "ServiceName": row.used_service or _NEVER_USED,
        "Region": row.used_region or _NEVER_USED,
    }
    if row.used_at is not None:
        used["LastUsedDate"] = row.used_at
    return {**Owner(row.owner_id, found.user).members, "AccessKeyLastUsed": used}


def _of_account(call: Call, access_key_id: str) -> AccessKeyRow | None:
    row = access_keys.with_id(call.db, access_key_id)
    # Key ids are unique in the whole installation, so this check is all that keeps accounts apart.
    return row if row is not None and row.account_id == call.account_id else None


def _required(call: Call, owner: Owner, access_key_id: str) -> AccessKeyRow:
    row = _of_account(call, access_key_id)
    # The key must be that of the user whom the call names, or permission for one user would do for the keys of all.
    if row is None or row.owner_id != owner.owner_id:
        raise errors.NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return row


def _position(row: AccessKeyRow) -> str:
    # With all six digits, even if they are zero, so that texts sort like the times they stand for.
    return f"{row.created_at.isoformat(timespec='microseconds')} {row.access_key_id}"


def _note(call: Call, owner: Owner, access_key_id: str) -> None:
    call.notes.resources.append((RESOURCE_TYPE, access_key_id))
    if owner.user is not None:
        call.notes.resources.append((users.RESOURCE_TYPE, owner.user.name))
