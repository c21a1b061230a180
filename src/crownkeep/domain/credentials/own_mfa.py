"""Rules of having MFA devices, of whatever kind: how many there may be, and what must be proved before one's own are changed.

Whoever already has a device must have used one to change what devices they have (AWS-2023-001): otherwise a stolen access key
would be enough to enrol the thief's own device, or to take the owner's away. The first device may be enrolled with a key alone.
"""

from __future__ import annotations

from crownkeep import arn, errors
from crownkeep.domain import quotas
from crownkeep.operations.call import Call
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.credentials import mfa_devices

DEVICES_PER_USER = quotas.define("MFADevicesPerUserQuota", 8, least=1, most=8)
"""Of a user and of root, of whatever kind."""

DEVICE_TYPE = "AWS::IAM::VirtualMFADevice"
"""What a record calls a device, of whatever kind: CloudFormation knows no other."""

_USER_TYPE = "AWS::IAM::User"
_NEEDS_MFA = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."


def require_own_mfa(call: Call, owner_id: str) -> None:
    """Raise AccessDenied where the caller changes their own devices and has proved none that they still have.

    A recovery code stands in for a device, since it is for the day when all are lost.
    """
    caller = call.principal
    # For an administrator who changes another user's devices, policies alone decide.
    if owner_id != caller.unique_id:
        return
    session = caller.session
    if session is not None and session.assumed_root:
        # A central session that was given for just this (IAMDeleteRootUserCredentials).
        return
    devices = mfa_devices.of_owner(call.db, call.account_id, owner_id)
    # A session says both which device was used and when; a serial without a time proves nothing.
    used = session.mfa_serial if session is not None and session.mfa_at is not None else None
    # A device that was taken away since then proves nothing any more.
    if devices and used not in {recovery_serial(caller), *(device.serial for device in devices)}:
        raise errors.AccessDenied(_NEEDS_MFA)


def require_room(call: Call, owner_id: str) -> None:
    """Raise LimitExceeded where a user, or root, has as many devices as there may be."""
    count = mfa_devices.count_of_owner(call.db, call.account_id, owner_id)
    quotas.require_room(call, count, DEVICES_PER_USER, name="MFADevicesPerUser")


def note(call: Call, serial: str, *, user_name: str | None) -> None:
    """Name in the call's record a device and the user whose it is; None for root."""
    call.notes.resources.append((DEVICE_TYPE, serial))
    if user_name is not None:
        call.notes.resources.append((_USER_TYPE, user_name))


def is_of_person(serial: str) -> bool:
    """Tell whether a serial number is that of a device of a person of single sign-on, whom IAM knows nothing of."""
    return serial.startswith("arn:aws:identitystore:")


def recovery_serial(person: Principal) -> str:
    """Return what stands for a device where a recovery code was used."""
    if person.kind is PrincipalKind.PERSON:
        return arn.person_device(person.account_id, person.person_id, "recovery-code")
    owner = "root-account" if person.kind is PrincipalKind.ROOT else f"user/{person.name}"
    return arn.iam(person.account_id, f"recovery-code/{owner}")
