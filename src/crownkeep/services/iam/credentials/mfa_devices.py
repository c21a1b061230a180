"""MFA devices of users and of root: enrolled with two codes that are really checked, resynchronised, and taken away.

Whoever already has a device must have used one to change what devices they have (AWS-2023-001): otherwise a stolen access key
would be enough to enrol the thief's own device, or to take the owner's away. The first device may be enrolled with a key alone.
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials import totp
from crownkeep.domain import page_tokens
from crownkeep.domain.credentials import mfa
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam import quotas
from crownkeep.services.iam.credentials import virtual_mfa
from crownkeep.services.iam.identities import owners, users
from crownkeep.services.iam.identities.owners import Owner
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow

_WRONG_CODE = "Authentication code for device is not valid."
_NEEDS_MFA = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."


@iam.operation("EnableMFADevice", resource=owners.target, effect=Effect.STATE)
def enable_mfa_device(
    call: Call, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> Result:
    """Give an unassigned device to a user, or to root, against two consecutive codes of it."""
    owner = owners.named_or_caller(call, user_name)
    _require_mfa_for_own(call, owner)
    device = mfa_devices.with_serial(call.db, call.account_id, serial_number)
    if device is None:
        raise virtual_mfa.missing(serial_number)
    if device.owner_id is not None:
        raise errors.EntityAlreadyExists("MFA Device is already in use.")
    count = mfa_devices.count_of_owner(call.db, call.account_id, owner.owner_id)
    quotas.require_room(call, count, quotas.MFA_DEVICES_PER_USER, name="MFADevicesPerUser")
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
    owner = owners.named_or_caller(call, user_name)
    _require_mfa_for_own(call, owner)
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
    owner = owners.named_or_caller(call, user_name)
    device = _of_owner(call, owner, serial_number)
    if device.sealed_seed is None:
        raise errors.InvalidAuthenticationCode(_WRONG_CODE)
    try:
        seed = mfa.seed_of(call.keyring, device)
        state = totp.resync(seed, device.state, authentication_code1, authentication_code2, now=call.now)
    except totp.CodeRefused as refusal:
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
    owner = owners.named_or_caller(call, user_name)
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
    owner = owners.named_or_caller(call, user_name)
    device = _of_owner(call, owner, serial_number)
    key = passkeys.of_device(call.db, call.account_id, device.device_id)
    certified = {"Certifications": dict(key.certifications)} if key is not None and key.certifications else {}
    return {**_describe(owner, device), **certified}


def _require_mfa_for_own(call: Call, owner: Owner) -> None:
    caller = call.principal
    if owner.owner_id != caller.unique_id:
        return
    session = caller.session
    if session is not None and session.assumed_root:
        # A central session that was given for just this (IAMDeleteRootUserCredentials).
        return
    devices = mfa_devices.of_owner(call.db, call.account_id, owner.owner_id)
    used = session.mfa_serial if session is not None and session.mfa_at is not None else None
    # A device that was taken away since then proves nothing any more.
    if devices and used not in {device.serial for device in devices}:
        raise errors.AccessDenied(_NEEDS_MFA)


def _of_owner(call: Call, owner: Owner, serial_number: str) -> MfaDeviceRow:
    device = mfa_devices.with_serial(call.db, call.account_id, serial_number)
    if device is None:
        raise virtual_mfa.missing(serial_number)
    if device.owner_id != owner.owner_id:
        raise errors.NoSuchEntity("MFA Device invalid for user.")
    return device


def _describe(owner: Owner, row: MfaDeviceRow) -> dict[str, object]:
    return {**owner.members, "SerialNumber": row.serial, "EnableDate": row.enabled_at}


def _note(call: Call, owner: Owner, device: MfaDeviceRow) -> None:
    call.notes.resources.append((virtual_mfa.RESOURCE_TYPE, device.serial))
    if owner.user is not None:
        call.notes.resources.append((users.RESOURCE_TYPE, owner.user.name))
