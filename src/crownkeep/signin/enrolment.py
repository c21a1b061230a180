"""Enrolling factors: virtual devices by AWS's own operations, passkeys beside them under the same permission and rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from crownkeep import arn, clock, errors
from crownkeep.credentials import totp, webauthn
from crownkeep.credentials.fido_metadata import MalformedMetadata, Metadata, UntrustedDevice, read_blob
from crownkeep.credentials.webauthn import Json, Passkey, Person, RelyingParty, WebauthnRefused
from crownkeep.errors import AwsError
from crownkeep.operations import authorize, record
from crownkeep.operations.call import NOTHING, Call, Notes, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.settings import Settings
from crownkeep.signin import acting, factors, progress, sign_in_steps
from crownkeep.signin.acting import Actor
from crownkeep.signin.entry import Visit
from crownkeep.signin.flow import Method
from crownkeep.signin.progress import Arrived, Enrolling, Expired, Next, Progress, Stale
from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.credentials.passkeys import PasskeyRow
from crownkeep.storage.database import Transaction, savepoint
from crownkeep.storage.writer import Deed

METADATA_FILE = "fido-metadata.jwt"
METADATA_ROOT_FILE = "fido-metadata-root.der"
"""The FIDO Alliance's metadata and the root it is signed under, where the operator has imported them."""

MOST_DEVICES = 8
"""MFA devices of root and of each user (IAM user guide, "AWS Multi-factor authentication in IAM")."""

ISSUER = "Crownkeep"
ROOT_DEVICE = "root-account-mfa-device"
"""What AWS calls root's first virtual device."""

_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_NEEDS_MFA = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."
_STEP_KEY = "iam:RegisterSecurityKey"
_CERTIFICATION_KEYS = {
    "FIDO": "iam:FIDO-certification",
    "FIPS-140-2": "iam:FIDO-FIPS-140-2-certification",
    "FIPS-140-3": "iam:FIDO-FIPS-140-3-certification",
}
_ENTITY_EXISTS = "EntityAlreadyExists"


def user_name(person: Principal) -> str:
    """Return how EnableMFADevice and its like are told who is meant; root is named by the account's id."""
    return person.account_id if person.kind is PrincipalKind.ROOT else person.name


async def new_virtual_device(door: Door, actor: Actor, name: str) -> Enrolling:
    """Make a virtual device that nobody has yet; one of this name that was begun and never finished is made anew."""
    try:
        made = await _create(door, actor, name)
    except AwsError as refusal:
        if refusal.code != _ENTITY_EXISTS:
            raise
        serial = arn.mfa_device(actor.principal.account_id, "/", name)
        await acting.call(door, actor, "iam", "DeleteVirtualMFADevice", {"SerialNumber": serial})
        made = await _create(door, actor, name)
    return made


async def enable(door: Door, actor: Actor, enrolling: Enrolling, *, code1: str, code2: str) -> None:
    """Give the device to whoever acts, against two consecutive codes; raises the AwsError that says why not."""
    parameters = with_codes(actor.principal, enrolling.serial, code1=code1, code2=code2)
    await acting.call(door, actor, "iam", "EnableMFADevice", parameters)


def with_codes(person: Principal, serial: str, *, code1: str, code2: str) -> dict[str, str]:
    """Return the parameters of EnableMFADevice and ResyncMFADevice for a device of one's own; codes may be typed in groups."""
    return {
        "UserName": user_name(person),
        "SerialNumber": serial,
        "AuthenticationCode1": code1.replace(" ", ""),
        "AuthenticationCode2": code2.replace(" ", ""),
    }


async def enable_token(door: Door, actor: Actor, serial: str, code1: str, code2: str) -> str:
    """Give a hardware token that the operator has imported to whoever acts, and return its serial number as it is kept.

    Raises the AwsError that says why not.
    """
    kept = token_serial(door, actor.principal, serial)
    await enable(door, actor, Enrolling(kept, ""), code1=code1, code2=code2)
    return kept


def token_serial(door: Door, person: Principal, typed: str) -> str:
    """Return a hardware token's serial number as it is kept; as it was typed where the person's account has no such token."""
    with door.snapshot() as db:
        device = mfa_devices.with_serial(db, person.account_id, typed.strip())
    return device.serial if device is not None and device.kind is DeviceKind.HARDWARE else typed.strip()


def has_tokens(door: Door, person: Principal) -> bool:
    """Tell whether the person's account has hardware tokens that nobody uses."""
    with door.snapshot() as db:
        return mfa_devices.has_unassigned_hardware(db, person.account_id)


def qr_svg(person: Principal, enrolling: Enrolling) -> str:
    """Draw the code that carries a seed into an authenticator app."""
    name = enrolling.serial.rpartition("/")[2]
    owner = person.name or person.account_id
    seed = totp.read_seed(enrolling.seed)
    return totp.qr_svg(totp.provisioning_uri(seed, device_name=name, owner=owner, issuer=ISSUER))


def registration_options(door: Door, person: Principal, party: RelyingParty, challenge: bytes, *, shown_name: str) -> Json:
    """Build what the browser is asked to register; the person's keys are left out."""
    with door.snapshot() as db:
        registered = [key for _, key in factors.passkeys_of(db, person)]
    someone = Person(factors.handle_of(person), shown_name, shown_name)
    return webauthn.creation_options(party, someone, challenge=challenge, registered=registered)


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that was registered: its serial number, and the id of the event that says so."""

    serial: str
    event_id: str


async def register_passkey(
    door: Door, actor: Actor, *, name: str, answer: Json, challenge: bytes, party: RelyingParty
) -> Registered:
    """Register a passkey or security key for whoever acts.

    It is authorised and recorded as EnableMFADevice, which AWS's own console uses for security keys too. Raises WebauthnRefused
    and the AwsError of a refusal.
    """
    wiring = door.wiring
    if not _NAME.fullmatch(name):
        raise errors.ValidationError("The device name must be 1 to 64 letters, digits and any of _+=,.@-")
    passkey = await door.compute(lambda: _registered(wiring.settings, party, answer, challenge))
    serial = _serial(actor.principal, name)

    def work(db: Transaction) -> Deed[tuple[str, AwsError | None]]:
        return _keep(db, wiring, actor, name, serial, passkey)

    event_id, refusal = await sign_in_steps.commit(door, work)
    if refusal is not None:
        raise refusal
    return Registered(serial, event_id)


@dataclass(slots=True)
class ProgressBinding:
    """Holds a request of somebody who is not signed in yet to the step of the sign-in that it belongs to, which is taken once."""

    progress: Progress

    @property
    def session_digest(self) -> bytes:
        """Return no digest: there is no session yet."""
        return b""

    def confirm(self, db: Transaction) -> None:
        """Raise ExpiredToken where the step was taken before."""
        if not progress.spend(db, self.progress):
            raise errors.ExpiredToken("The security token included in the request is expired")

    def is_fresh(self, now: datetime) -> bool:
        """Tell that its person has: a sign-in that is under way is a proof."""
        return True

    def follow(self, db: Transaction) -> None:
        """Let the sign-in go on from what the request left."""
        self.progress = progress.renew(db, self.progress)


def actor_in(begun: Progress, visit: Visit, binding: ProgressBinding | None = None) -> Actor:
    """Return who acts in a sign-in that is under way: the person, in a session that ends with it."""
    session = Session(
        begun.began_at,
        begun.began_at + progress.LASTS,
        mfa_serial=begun.mfa_serial,
        mfa_at=visit.now if begun.mfa_serial else None,
        from_console=True,
    )
    return Actor(replace(begun.person, session=session), visit.origin, visit.now, binding)


async def go_on(door: Door, visit: Visit, begun: Progress) -> Next | Arrived | Expired | Stale:
    """Go on with a sign-in after what its person did in it."""

    def work(db: Transaction) -> Deed[Next | Arrived | Expired | Stale]:
        if not progress.spend(db, begun):
            return Deed(Stale(), [])
        entered, rows = progress.proceed(db, door.wiring, begun, origin=visit.origin, now=visit.now)
        return Deed(entered, rows)

    return await sign_in_steps.commit(door, work)


def enrolled(begun: Progress, method: Method, serial: str) -> Progress:
    """Return progress in which a device was enrolled: that proves the factor, too."""
    return replace(begun, method=method, mfa_serial=serial, enrolling=None)


async def _create(door: Door, actor: Actor, name: str) -> Enrolling:
    result = await acting.call(door, actor, "iam", "CreateVirtualMFADevice", {"VirtualMFADeviceName": name})
    device = result["VirtualMFADevice"]
    assert isinstance(device, dict)  # noqa: S101 - the operation's own shape, for the type checker
    return Enrolling(str(device["SerialNumber"]), bytes(device["Base32StringSeed"]).decode())


def _registered(settings: Settings, party: RelyingParty, answer: Json, challenge: bytes) -> Passkey:
    try:
        return webauthn.register(party, answer, challenge=challenge, metadata=_metadata(settings))
    except UntrustedDevice as error:
        raise WebauthnRefused(str(error)) from error


def _keep(
    db: Transaction, wiring: Wiring, actor: Actor, name: str, serial: str, passkey: Passkey
) -> Deed[tuple[str, AwsError | None]]:
    person = actor.principal
    parameters = {"UserName": user_name(person), "SerialNumber": serial}
    request = acting.request(actor, "iam", "EnableMFADevice", parameters)
    standing = wiring.standings.held(db, person)
    call = Call(db, person.account_id, person, actor.now, actor.origin, wiring, standing, None, Notes())
    refusal: AwsError | None = None
    try:
        with savepoint(db):
            standing.confirm(db, person)
            if actor.binding is not None:
                actor.binding.confirm(db)
            for keys in _security_key_steps(passkey):
                authorize.require(
                    call, request.operation, {"user_name": parameters["UserName"], "serial_number": serial}, known=keys
                )
            _add(db, actor, name, serial, passkey)
            if actor.binding is not None:
                actor.binding.follow(db)
    except AwsError as error:
        refusal = error
    event = record.of_call(request, call.notes, result=NOTHING, error=refusal, account_alias=standing.alias(db))
    return Deed((str(event.event_id), refusal), [event])


def _security_key_steps(passkey: Passkey) -> tuple[dict[str, str], dict[str, str]]:
    """Return the condition keys of both steps that AWS's console takes: a key is created, then activated with its certifications.

    IAM user guide, "Supported configurations for using passkeys and security keys".
    """
    certified = {_CERTIFICATION_KEYS[name]: level for name, level in passkey.certifications if name in _CERTIFICATION_KEYS}
    return {_STEP_KEY: "Create"}, {_STEP_KEY: "Activate", **certified}


def _add(db: Transaction, actor: Actor, name: str, serial: str, passkey: Passkey) -> None:
    person = actor.principal
    devices = mfa_devices.of_owner(db, person.account_id, person.unique_id)
    if devices and not person.has_mfa:
        raise errors.AccessDenied(_NEEDS_MFA)
    if len(devices) >= MOST_DEVICES:
        raise errors.LimitExceeded(f"Cannot exceed quota for MFADevicesPerUser: {MOST_DEVICES}")
    # Somebody else's id would have a browser offer the one's key for the other (WebAuthn level 3, section 7.1, step 26).
    if passkeys.is_registered(db, passkey.credential_id):
        raise errors.EntityAlreadyExists("This security key is registered already.")
    device_id = clock.token_bytes(16).hex()
    device = MfaDeviceRow(
        device_id=device_id,
        account_id=person.account_id,
        kind=DeviceKind.FIDO,
        serial=serial,
        name=name,
        path="/",
        created_at=actor.now,
        owner_id=person.unique_id,
        enabled_at=actor.now,
        credential_id=passkey.credential_id,
        public_key=passkey.public_key,
        signature_count=passkey.sign_count,
        aaguid=passkey.aaguid,
    )
    mfa_devices.add(db, device)
    passkeys.add(
        db,
        PasskeyRow(
            device_id,
            person.account_id,
            passkey.transports,
            passkey.is_synced,
            passkey.attestation_format,
            passkey.attestation,
            passkey.certifications,
            passkey.credential_id,
        ),
    )


def _serial(person: Principal, name: str) -> str:
    """Make a security key's ARN: `arn:aws:iam::ACCOUNT:u2f/user/NAME/DEVICE-` and 26 random letters and digits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    number = int.from_bytes(clock.token_bytes(17), "big")
    random = "".join(alphabet[number >> 5 * place & 31] for place in range(26))
    owner = "root-account" if person.kind is PrincipalKind.ROOT else f"user/{person.name}"
    return arn.iam(person.account_id, f"u2f/{owner}/{name}-{random}")


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
