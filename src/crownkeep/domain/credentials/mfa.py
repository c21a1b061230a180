"""One-time codes of MFA devices: verified for STS and for sign-in, used up by it, and counted even where they are wrong."""

from __future__ import annotations

from datetime import datetime

from crownkeep import errors
from crownkeep.credentials import totp
from crownkeep.credentials.sealing import Keyring
from crownkeep.operations import sealed
from crownkeep.operations.call import Call
from crownkeep.principals import Principal
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow
from crownkeep.storage.database import Transaction

UNKNOWN_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
HALF_A_FACTOR = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


def require_code(call: Call, caller: Principal, *, serial_number: str | None, token_code: str | None) -> str | None:
    """Verify the code that a call brings, use it up, and return the device's serial number; None where it brings none.

    For operations that take `SerialNumber` and `TokenCode`, and only those that change state. Raises AccessDenied in STS's
    words; the attempt counts although the call is refused.
    """
    # None of both is a call without MFA; one of them alone is always a mistake.
    if serial_number is None and token_code is None:
        return None
    if serial_number is None or token_code is None:
        raise errors.AccessDenied(HALF_A_FACTOR)
    device = mfa_devices.with_serial(call.db, caller.account_id, serial_number)
    # A device of somebody else and one that was never enabled look alike, so that serials can't be tried out.
    if device is None or device.owner_id != caller.unique_id or device.sealed_seed is None:
        raise errors.AccessDenied(UNKNOWN_DEVICE)
    try:
        spend_code(call.db, call.keyring, device, token_code, now=call.now)
    except totp.CodeRefused as refusal:
        # The refusal undoes the transaction, and with it the count that `spend_code` has written. So it is written again
        # afterwards: otherwise a code could be guessed without limit.
        state = refusal.state
        call.notes.lasting.append(lambda db: mfa_devices.set_state(db, device.account_id, device.device_id, state))
        raise errors.AccessDenied(WRONG_CODE) from refusal
    return device.serial


def spend_code(db: Transaction, keyring: Keyring, device: MfaDeviceRow, code: str, *, now: datetime) -> None:
    """Verify a code of a TOTP device and store what that leaves: the code used up, or the attempt counted.

    The account's row must be held, or a code could be spent twice at the same time. Raises `totp.InvalidCode` and
    `totp.TooManyAttempts`; the caller sees to it that the attempt stays stored.
    """
    try:
        state = totp.verify(seed_of(keyring, device), device.state, code, now=now)
    except totp.CodeRefused as refusal:
        mfa_devices.set_state(db, device.account_id, device.device_id, refusal.state)
        raise
    # Only now is the code used up; a second request with it waits for the account's row and then finds it spent.
    mfa_devices.set_state(db, device.account_id, device.device_id, state)


def seed_of(keyring: Keyring, device: MfaDeviceRow) -> bytes:
    """Return the seed of a TOTP device; raises Unsealable for a blob that is not this device's."""
    # A device without a seed is of another kind. An empty blob is refused like a forged one.
    blob = device.sealed_seed or b""
    text = sealed.open_totp_seed(keyring, blob, account_id=device.account_id, serial=device.serial)
    return totp.read_seed(text.reveal())
