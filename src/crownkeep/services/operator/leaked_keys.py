"""Access keys that were found where they should not be: whose they are, and what stops whoever else has them.

The operator is nobody inside an account, and this is the one exception: a key that has leaked must be stopped by whoever hears of
it first. What is done stands in the account's own trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import arn, clock, errors
from crownkeep.catalogue import managed_policies
from crownkeep.credentials.secret import Secret
from crownkeep.operations import registry, sealed
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.credentials.access_keys import AccessKeyRow
from crownkeep.storage.identities import users
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.attachments import AttachmentRow

QUARANTINE = arn.policy(managed_policies.AWS, "/", "AWSCompromisedKeyQuarantineV3")
"""AWS's own policy for this: it denies what thieves of keys do first (IAM user guide, "Managing compromised access keys")."""

INACTIVE = "Inactive"


@operator.operation("FindAccessKeys", resource=registry.everything, mode=Mode.READ)
def find_access_keys(call: Call, *, sightings: Sequence[Mapping[str, Any]]) -> Result:
    """Return which of some access key ids are ours, whose they are, and whether their secret was seen as well."""
    wanted = {sighting["access_key_id"]: sighting.get("possible_secrets", ()) for sighting in sightings}
    rows = access_keys.with_ids(call.db, list(wanted))
    owners = {row.user_id: row for row in users.anywhere_with_ids(call.db, [row.owner_id for row in rows])}
    return {"access_keys": [_describe(call, row, owners.get(row.owner_id), wanted[row.access_key_id]) for row in rows]}


@operator.operation("DeactivateAccessKey", resource=registry.everything)
def deactivate_access_key(call: Call, *, access_key_id: str) -> Result:
    """Make a key inactive: the very next request that is signed with it fails, and so do the sessions it asked for."""
    row = _held(call, access_key_id)
    access_keys.set_status(call.db, row.account_id, row.access_key_id, INACTIVE)
    _change(call, row.account_id, ("AWS::IAM::AccessKey", row.access_key_id))
    return NOTHING


@operator.operation("QuarantineUser", resource=registry.everything)
def quarantine_user(call: Call, *, account_id: str, user_name: str) -> Result:
    """Attach AWS's quarantine policy to a user, beyond any quota; a user that has it already stays as it is."""
    accounts.hold(call.db, account_id)
    user = users.named(call.db, account_id, user_name)
    if user is None:
        raise errors.ResourceNotFound(f"there is no user `{user_name}` in account `{account_id}`")
    attached = attachments.of_owner(call.db, account_id, user.user_id)
    if all(each.policy_arn != QUARANTINE for each in attached):
        attachments.add(call.db, AttachmentRow(account_id, user.user_id, OwnerKind.USER, QUARANTINE, call.now))
    _change(call, account_id, ("AWS::IAM::User", user.name), ("AWS::IAM::Policy", QUARANTINE))
    return {"policy_arn": QUARANTINE}


def _held(call: Call, access_key_id: str) -> AccessKeyRow:
    row = access_keys.with_id(call.db, access_key_id)
    if row is not None:
        # Only the key tells whose row is to be held, and the key may be deleted before it is: so it is read twice.
        accounts.hold(call.db, row.account_id)
        row = access_keys.with_id(call.db, access_key_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no access key `{access_key_id}`")
    return row


def _change(call: Call, account_id: str, *resources: tuple[str, str]) -> None:
    # The revision is what voids every cache of who may do what in the account.
    accounts.touch(call.db, account_id, clock.revision())
    call.notes.account_id = account_id
    call.notes.resources += resources


def _describe(call: Call, row: AccessKeyRow, user: UserRow | None, seen: Sequence[str]) -> dict[str, object]:
    described: dict[str, object] = {
        "access_key_id": row.access_key_id,
        "account_id": row.account_id,
        "owner_arn": arn.root(row.account_id) if user is None else arn.user(user.account_id, user.path, user.name),
        "status": row.status,
        "created_at": row.created_at,
        "secret_seen": _is_among(call, row, seen),
    }
    if user is not None:
        described["user_name"] = user.name
    return described


def _is_among(call: Call, row: AccessKeyRow, seen: Sequence[str]) -> bool:
    if not seen:
        return False
    place = {"account_id": row.account_id, "access_key_id": row.access_key_id}
    secret = sealed.open_access_key_secret(call.keyring, row.sealed_secret, **place)
    return any([secret == Secret(candidate) for candidate in seen])  # noqa: C419 - all of them, so that time tells nothing
