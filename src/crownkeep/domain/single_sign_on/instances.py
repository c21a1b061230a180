"""Instances of single sign-on as callers may see them: their owner's and its delegated administrators'."""

from __future__ import annotations

from crownkeep import arn, clock, ids
from crownkeep.operations.call import Call
from crownkeep.storage.organizations import delegated_administrators
from crownkeep.storage.single_sign_on import instances
from crownkeep.storage.single_sign_on.instances import InstanceRow

SERVICE = "sso.amazonaws.com"
_PREFIX = "arn:aws:sso:::instance/"
_STORE_ID_LENGTH = 10
_CHANCE = 16


def arn_of(instance_id: str) -> str:
    """Return an instance's ARN."""
    return f"{_PREFIX}{instance_id}"


def id_in(instance_arn: str) -> str:
    """Return the id in an instance's ARN, which the model has checked; empty where it is none of ours."""
    parts = arn.parse(instance_arn)
    return parts.resource.removeprefix("instance/") if parts is not None and instance_arn.startswith(_PREFIX) else ""


def store_arn(row: InstanceRow) -> str:
    """Return the ARN of an instance's identity store."""
    return f"arn:aws:identitystore::{row.account_id}:identitystore/{row.identity_store_id}"


def visible(call: Call, instance_arn: str) -> InstanceRow | None:
    """Return the instance with this ARN where the caller's account may manage it, else None: as if there were none."""
    return _visible(call, instances.with_id(call.db, id_in(instance_arn)))


def visible_store(call: Call, store: str) -> InstanceRow | None:
    """Return the instance whose identity store has this id or ARN, where the caller's account may manage it."""
    return _visible(call, instances.with_store(call.db, store.rpartition("/")[2]))


def all_visible(call: Call) -> list[InstanceRow]:
    """Return the instances that the caller's account may manage: its own, and the organization's where it is delegated to."""
    own = instances.of_account(call.db, call.account_id)
    found = [] if own is None else [own]
    membership = call.standing.membership(call.db)
    if membership is not None:
        whole = instances.of_organization(call.db, membership.organization_id)
        if whole is not None and whole.account_id != call.account_id and _is_delegate(call, whole):
            found.append(whole)
    return found


def new(call: Call, account_id: str, *, organization_id: str | None, name: str) -> InstanceRow:
    """Make an instance and keep it."""
    row = InstanceRow(
        instance_id=f"ssoins-{clock.token_bytes(8).hex()}",
        account_id=account_id,
        organization_id=organization_id,
        identity_store_id=f"d-{clock.token_bytes(_STORE_ID_LENGTH // 2).hex()}",
        name=name,
        region=call.origin.region or arn.GLOBAL_REGION,
        created_at=call.now,
        access_control_attributes=None,
        permission_sets_enabled=organization_id is not None,
    )
    instances.add(call.db, row)
    return row


def entity_id() -> str:
    """Return a new id of something in an identity store: a random UUID."""
    return ids.request_id(clock.token_bytes(_CHANCE))


def _visible(call: Call, row: InstanceRow | None) -> InstanceRow | None:
    if row is None or row.account_id == call.account_id or _is_delegate(call, row):
        return row
    return None


def _is_delegate(call: Call, row: InstanceRow) -> bool:
    if row.organization_id is None:
        return False
    return delegated_administrators.is_delegate_for(call.db, row.organization_id, call.account_id, SERVICE)
