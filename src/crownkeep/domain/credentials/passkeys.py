"""Passkeys and security keys: named, judged by what the operator knows of their makers, and kept."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from crownkeep import arn, clock, errors, untrusted_json
from crownkeep.credentials import webauthn
from crownkeep.credentials.fido_metadata import MalformedMetadata, Metadata, UntrustedDevice, read_blob
from crownkeep.credentials.webauthn import Json, Passkey, RelyingParty, WebauthnRefused
from crownkeep.domain.credentials import key_policies
from crownkeep.domain.credentials.key_policies import KeyPolicy
from crownkeep.operations.call import Call
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.settings import Settings
from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.credentials.passkeys import PasskeyRow
from crownkeep.untrusted_json import UnreadableJson

METADATA_FILE = "fido-metadata.jwt"
METADATA_ROOT_FILE = "fido-metadata-root.der"
"""The FIDO Alliance's metadata and the root it is signed under, where the operator has imported them."""

NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
"""What somebody may call a key, as a pattern."""

_RANDOM = "[A-Z2-7]{26}"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_serial(person: Principal, name: str) -> str:
    """Make a key's ARN: `arn:aws:iam::ACCOUNT:u2f/user/NAME/DEVICE-` and 26 random letters and digits."""
    return f"{_of(person)}{name}-{number()}"


def number() -> str:
    """Return 26 random letters and digits, by which a device is told from all others."""
    drawn = int.from_bytes(clock.token_bytes(17), "big")
    return "".join(_ALPHABET[drawn >> 5 * place & 31] for place in range(26))


def name_in(person: Principal, serial: str) -> str | None:
    """Return what a key with this serial number is called; None where it can't be one of this person."""
    named = re.fullmatch(f"{re.escape(_of(person))}({NAME})-{_RANDOM}", serial)
    return named[1] if named else None


def answered(credential: str) -> Json:
    """Read what a browser's key answered, as JSON; raises WebauthnRefused."""
    try:
        answer = untrusted_json.read(credential)
    except UnreadableJson as error:
        raise WebauthnRefused("the browser's answer can't be read") from error
    if not isinstance(answer, dict):
        raise WebauthnRefused("the browser's answer can't be read")
    return answer


def registered(
    settings: Settings, party: RelyingParty, answer: Json, challenge: bytes, policy: KeyPolicy = key_policies.ANY
) -> Passkey:
    """Verify what a browser registered; raises WebauthnRefused, also for a kind of key that the operator does not want."""
    metadata = _metadata(settings)
    try:
        passkey = webauthn.register(party, answer, challenge=challenge, metadata=metadata)
    except UntrustedDevice as error:
        raise WebauthnRefused(str(error)) from error
    key_policies.require(policy, passkey, metadata)
    return passkey


def add(call: Call, passkey: Passkey, *, serial: str, name: str) -> None:
    """Give a key to whoever calls; raises EntityAlreadyExists where anybody has it."""
    # Somebody else's id would have a browser offer the one's key for the other (WebAuthn level 3, section 7.1, step 26).
    if passkeys.is_registered(call.db, passkey.credential_id):
        raise errors.EntityAlreadyExists("This security key is registered already.")
    if mfa_devices.with_serial(call.db, call.account_id, serial) is not None:
        raise errors.EntityAlreadyExists("MFADevice entity at the same path and name already exists.")
    device_id = clock.token_bytes(16).hex()
    device = MfaDeviceRow(
        device_id=device_id,
        account_id=call.account_id,
        kind=DeviceKind.FIDO,
        serial=serial,
        name=name,
        path="/",
        created_at=call.now,
        owner_id=call.principal.unique_id,
        enabled_at=call.now,
        credential_id=passkey.credential_id,
        public_key=passkey.public_key,
        signature_count=passkey.sign_count,
        aaguid=passkey.aaguid,
    )
    mfa_devices.add(call.db, device)
    passkeys.add(
        call.db,
        PasskeyRow(
            device_id,
            call.account_id,
            passkey.transports,
            passkey.is_synced,
            passkey.attestation_format,
            passkey.attestation,
            passkey.certifications,
            passkey.credential_id,
        ),
    )


def _of(person: Principal) -> str:
    owner = "root-account" if person.kind is PrincipalKind.ROOT else f"user/{person.name}"
    return arn.iam(person.account_id, f"u2f/{owner}/")


def _metadata(settings: Settings) -> Metadata | None:
    folder = settings.data_directory
    try:
        stamp = (folder / METADATA_FILE).stat()
    except FileNotFoundError:
        return None
    return _read_metadata(folder, stamp.st_ino, stamp.st_mtime_ns)


@lru_cache(maxsize=1)
def _read_metadata(folder: Path, _inode: int, _changed: int) -> Metadata:
    try:
        root = (folder / METADATA_ROOT_FILE).read_bytes()
        return read_blob((folder / METADATA_FILE).read_bytes(), trust_root=root)
    except (MalformedMetadata, OSError) as error:
        # No key is judged by metadata that can't be read, and none is let in unjudged where the operator wants them judged.
        raise WebauthnRefused(f"the FIDO metadata of this server can't be read: {error}") from error
