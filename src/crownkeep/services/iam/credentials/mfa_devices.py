"""MFA devices of users and of root: enrolled with two codes that are really checked, resynchronised, and taken away."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials import totp
from crownkeep.domain import page_tokens
from crownkeep.domain.credentials import mfa, own_mfa
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam.credentials import virtual_mfa
from crownkeep.services.iam.identities import owners
from crownkeep.services.iam.identities.owners import Owner
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow

_WRONG_CODE = "Authentication code for device is not valid."


@iam.operation("EnableMFADevice", resource=owners.target, effect=Effect.STATE)
def enable_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> Result:
    """Give an unassigned device to a user, or to root, against two consecutive codes of it."""
    owner = owners.targeted(call, user_name)
    own_mfa.require_own_mfa(call, owner.owner_id)
    device = mfa_devices.with_serial(call.db, call.account_id, serial_number)
    if device is None or own_mfa.is_of_person(device.serial):
        raise virtual_mfa.missing(serial_number)
    if device.owner_id is not None:
        raise errors.EntityAlreadyExists("MFA Device is already in use.")
    own_mfa.require_room(call, owner.owner_id)
    try:
        seed = mfa.seed_of(call.keyring, device)
        state = totp.enrol(seed, authentication_code1, authentication_code2, now=call.now)
    except totp.InvalidCode as refusal:
        raise errors.InvalidAuthenticationCode(_WRONG_CODE) from refusal
    mfa_devices.set_state(call.db, call.account_id, device.device_id, state)
    mfa_devices.assign(call.db, call.account_id, device.device_id, owner.owner_id, at=call.now)
    _note(call, owner, device)
    return NOTHING


@iam.operation("DeactivateMFADevice", resource=owners.target, effect=Effect.STATE)
def deactivate_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> Result:
    """Take a device from a user, or from root; a virtual one stays and can be assigned again."""
    owner = owners.targeted(call, user_name)
    own_mfa.require_own_mfa(call, owner.owner_id)
    device = _of_owner(call, owner, serial_number)
    if device.sealed_seed is None:
        # A FIDO key is registered for one owner and can't be given to another.
        mfa_devices.remove(call.db, call.account_id, device.device_id)
    else:
        mfa_devices.release(call.db, call.account_id, device.device_id)
    _note(call, owner, device)
    return NOTHING


@iam.operation("ResyncMFADevice", resource=owners.target, effect=Effect.STATE)
def resync_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> Result:
    """Learn anew how far a device's clock is off, from two consecutive codes."""
    owner = owners.targeted(call, user_name)
    device = _of_owner(call, owner, serial_number)
    # A FIDO key has no clock that could be off.
    if device.sealed_seed is None:
        raise errors.InvalidAuthenticationCode(_WRONG_CODE)
    try:
        seed = mfa.seed_of(call.keyring, device)
        state = totp.resync(seed, device.state, authentication_code1, authentication_code2, now=call.now)
    except totp.CodeRefused as refusal:
        # Wrong codes count although the call is refused: who may resynchronise a device must not guess at its codes for free.
        left = refusal.state
        call.notes.lasting.append(lambda db: mfa_devices.set_state(db, device.account_id, device.device_id, left))
        raise errors.InvalidAuthenticationCode(_WRONG_CODE) from refusal
    mfa_devices.set_state(call.db, call.account_id, device.device_id, state)
    _note(call, owner, device)
    return NOTHING


@iam.operation("ListMFADevices", resource=owners.target)
def list_mfa_devices(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the devices of a user, or of the caller, of whatever kind."""
    owner = owners.targeted(call, user_name)
    found, more = page_tokens.page(
        call,
        list_name="ListMFADevices",
        filters=(owner.owner_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: mfa_devices.page_of_owner(call.db, call.account_id, owner.owner_id, after=after, limit=limit),
        key=lambda row: row.serial.lower(),
    )
    return {"MFADevices": [_describe(owner, row) for row in found], **more}


@iam.operation("GetMFADevice", resource=owners.target)
def get_mfa_device(call: Call, *, serial_number: str, user_name: str | None = None) -> Result:
    """Return one device of a user, or of the caller, with what a security key is certified for."""
    owner = owners.targeted(call, user_name)
    device = _of_owner(call, owner, serial_number)
    key = passkeys.of_device(call.db, call.account_id, device.device_id)
    certified = {"Certifications": dict(key.certifications)} if key is not None and key.certifications else {}
    return {**_describe(owner, device), **certified}


def _of_owner(call: Call, owner: Owner, serial_number: str) -> MfaDeviceRow:
    device = mfa_devices.with_serial(call.db, call.account_id, serial_number)
    if device is None or own_mfa.is_of_person(device.serial):
        raise virtual_mfa.missing(serial_number)
    if device.owner_id != owner.owner_id:
        raise errors.NoSuchEntity("MFA Device invalid for user.")
    return device


def _describe(owner: Owner, row: MfaDeviceRow) -> dict[str, object]:
    return {**owner.members, "SerialNumber": row.serial, "EnableDate": row.enabled_at}


def _note(call: Call, owner: Owner, device: MfaDeviceRow) -> None:
    own_mfa.note(call, device.serial, user_name=owner.user.name if owner.user is not None else None)
