"""MFA devices of people: registered by themselves, renamed, listed, and taken away by themselves or by an administrator."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import arn, clock, errors
from crownkeep.credentials import totp
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.webauthn import Passkey, RelyingParty, WebauthnRefused
from crownkeep.domain.credentials import own_mfa, passkeys
from crownkeep.operations import sealed
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.principals import PrincipalKind
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.services.sso_directory.targets import DirectoryPerson
from crownkeep.signin import person_notices
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.sign_in import browser_sessions, recovery_codes

_WRONG_CODE = "Authentication code for device is not valid."
_TYPES = {DeviceKind.VIRTUAL: "TOTP", DeviceKind.HARDWARE: "TOTP", DeviceKind.FIDO: "WEBAUTHN"}


@sso_directory.operation("ListMfaDevicesForUser", resource=targets.user)
def list_mfa_devices_for_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """List a person's devices and count their recovery codes."""
    found = targets.required(call)
    owner = (call.db, found.person.account_id, found.person.unique_id)
    return {
        "MfaDevices": [_describe(each) for each in mfa_devices.of_owner(*owner)],
        "RecoveryCodesLeft": recovery_codes.count(*owner),
    }


@sso_directory.operation("UpdateMfaDeviceForUser", resource=targets.user, effect=Effect.STATE)
def update_mfa_device_for_user(call: Call, *, identity_store_id: str, user_id: str, device_id: str, device_name: str) -> Result:
    """Call a device by another name."""
    found = targets.changeable(call)
    device = _of(call, found, device_id)
    mfa_devices.rename(call.db, device.account_id, device.device_id, device_name)
    return NOTHING


@sso_directory.operation("DeleteMfaDeviceForUser", resource=targets.user, effect=Effect.STATE)
def delete_mfa_device_for_user(call: Call, *, identity_store_id: str, user_id: str, device_id: str) -> Result:
    """Take a device away; with the last one the recovery codes go, which would open the next one's door.

    The person proves to be there before. Whoever acts for somebody else needs the permission alone.
    """
    found = targets.changeable(call)
    device = _of(call, found, device_id)
    if call.principal.kind is PrincipalKind.PERSON:
        call.require_fresh_proof()
        own_mfa.require_own_mfa(call, found.person.unique_id)
    mfa_devices.remove(call.db, device.account_id, device.device_id)
    _end_other_sessions(call, found)
    if not mfa_devices.count_of_owner(call.db, device.account_id, found.person.unique_id):
        recovery_codes.remove_all(call.db, device.account_id, found.person.unique_id)
    person_notices.device_removed(call.db, call.wiring, found.user, call.principal, call.origin, now=call.now)
    return NOTHING


@sso_directory.operation("CompleteVirtualMfaDeviceRegistration", resource=targets.user, effect=Effect.STATE)
def complete_virtual_mfa_device_registration(
    call: Call,
    *,
    identity_store_id: str,
    user_id: str,
    device_name: str,
    seed: str,
    authentication_code1: str,
    authentication_code2: str,
) -> Result:
    """Register an authenticator app whose seed was shown to the caller, against two consecutive codes of it."""
    found = _registering(call)
    try:
        # Two consecutive codes, as EnableMFADevice takes: they show that device and server agree on the time.
        state = totp.enrol(totp.read_seed(seed), authentication_code1, authentication_code2, now=call.now)
    except (totp.InvalidCode, ValueError) as refusal:
        raise errors.InvalidAuthenticationCode(_WRONG_CODE) from refusal
    device_id, account_id = clock.token_bytes(16).hex(), found.person.account_id
    serial = _new_serial(found)
    row = MfaDeviceRow(
        device_id=device_id,
        account_id=account_id,
        kind=DeviceKind.VIRTUAL,
        serial=serial,
        name=device_name,
        path="/",
        created_at=call.now,
        owner_id=found.person.unique_id,
        enabled_at=call.now,
        sealed_seed=sealed.seal_totp_seed(call.keyring, Secret(seed), account_id=account_id, serial=serial),
        state=state,
    )
    mfa_devices.add(call.db, row)
    _end_other_sessions(call, found)
    person_notices.device_added(call.db, call.wiring, found.user, call.origin, now=call.now)
    return {"DeviceId": device_id}


def verify_passkey(
    call: Call,
    *,
    identity_store_id: str,
    user_id: str,
    device_name: str,
    credential: str,
    challenge: bytes,
    relying_party: Mapping[str, str],
) -> Passkey:
    """Verify what the browser's key answered; raises InvalidAuthenticationCode."""
    if call.principal.kind is not PrincipalKind.PERSON:
        raise errors.AccessDenied("People of single sign-on do this for themselves alone.")
    call.require_fresh_proof()
    party = RelyingParty(relying_party["Id"], relying_party["Name"], frozenset({relying_party["Origin"]}))
    try:
        return passkeys.registered(call.settings, party, passkeys.answered(credential), challenge)
    except WebauthnRefused as refusal:
        raise errors.InvalidAuthenticationCode(f"The passkey was not accepted: {refusal}") from refusal


@sso_directory.operation(
    "CompleteWebAuthnDeviceRegistration",
    resource=targets.user,
    effect=Effect.STATE,
    prepare=verify_passkey,
)
def complete_web_authn_device_registration(
    call: Call,
    *,
    identity_store_id: str,
    user_id: str,
    device_name: str,
    credential: str,
    challenge: bytes,
    relying_party: Mapping[str, str],
) -> Result:
    """Give the caller, who sits at a browser and has just proved to be there, the passkey that was verified."""
    found, passkey = _registering(call), call.prepared
    assert isinstance(passkey, Passkey)  # noqa: S101 - what verify_passkey answered, for the type checker
    serial = _new_serial(found)
    passkeys.add(call, passkey, serial=serial, name=device_name)
    _end_other_sessions(call, found)
    device = mfa_devices.with_serial(call.db, found.person.account_id, serial)
    person_notices.device_added(call.db, call.wiring, found.user, call.origin, now=call.now)
    return {"DeviceId": device.device_id if device is not None else ""}


def _registering(call: Call) -> DirectoryPerson:
    """Return who registers a device: somebody at a browser who has proved to be there, with a device where they have one."""
    found = targets.required_self(call)
    call.require_fresh_proof()
    # Before a device is added as well: a stolen session must not be able to register a factor of the thief's.
    own_mfa.require_own_mfa(call, found.person.unique_id)
    own_mfa.require_room(call, found.person.unique_id)
    return found


def _end_other_sessions(call: Call, found: DirectoryPerson) -> None:
    """End every session of the person but the one that calls, with the roles taken in it: each rests on the devices of before."""
    this = call.binding.session_digest if call.binding is not None else b""
    browser_sessions.end_others(call.db, found.person.account_id, found.person.unique_id, but=this, at=call.now)


def _new_serial(found: DirectoryPerson) -> str:
    return arn.person_device(found.person.account_id, found.user.user_id, passkeys.number())


def _of(call: Call, found: DirectoryPerson, device_id: str) -> MfaDeviceRow:
    held = mfa_devices.of_owner(call.db, found.person.account_id, found.person.unique_id)
    device = next((each for each in held if each.device_id == device_id), None)
    if device is None:
        raise errors.ResourceNotFound("The person has no such device.")
    return device


def _describe(row: MfaDeviceRow) -> dict[str, object]:
    return {
        "DeviceId": row.device_id,
        "DeviceName": row.name,
        "DeviceType": _TYPES[row.kind],
        "RegisteredAt": row.enabled_at,
    }
