"""Enrolling factors: virtual devices by AWS's own operations, passkeys beside them under the same permission and rules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crownkeep import arn, clock, errors
from crownkeep.credentials import totp, webauthn
from crownkeep.credentials.webauthn import Json, Person, RelyingParty
from crownkeep.domain import quotas
from crownkeep.domain.credentials import own_mfa, passkeys
from crownkeep.errors import AwsError
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.signin import acting, factors, progress, sign_in_steps
from crownkeep.signin.acting import Actor
from crownkeep.signin.entry import Visit
from crownkeep.signin.flow import Method
from crownkeep.signin.progress import Arrived, Enrolling, Expired, Next, Progress, Stale
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import DeviceKind
from crownkeep.storage.database import Transaction
from crownkeep.storage.writer import Commit

ISSUER = "Crownkeep"
_DIRECTORY = "sso-directory"
ROOT_DEVICE = "root-account-mfa-device"
"""What AWS calls root's first virtual device."""

_PERSON_DEVICE = r"[A-Za-z0-9_+=,.@ -]{1,64}"
_WRONG_NAME = "The device name must be 1 to 64 letters, digits, spaces and any of _+=,.@-"
_ENTITY_EXISTS = "EntityAlreadyExists"


def user_name(person: Principal) -> str:
    """Return how EnableMFADevice and its like are told who is meant; root is named by the account's id."""
    return person.account_id if person.kind is PrincipalKind.ROOT else person.name


async def new_virtual_device(door: Door, actor: Actor, name: str) -> Enrolling:
    """Make a virtual device that nobody has yet; one of this name that was begun and never finished is made anew.

    A person's is kept nowhere before it is registered: nobody else could be given it.
    """
    if actor.principal.kind is PrincipalKind.PERSON:
        if not re.fullmatch(_PERSON_DEVICE, name):
            raise errors.ServiceValidation(_WRONG_NAME)
        return Enrolling("", totp.seed_text(clock.token_bytes(totp.SEED_SIZE)).reveal(), name)
    try:
        made = await _create(door, actor, name)
    except AwsError as refusal:
        if refusal.code != _ENTITY_EXISTS:
            raise
        serial = arn.mfa_device(actor.principal.account_id, "/", name)
        await acting.call(door, actor, "iam", "DeleteVirtualMFADevice", {"SerialNumber": serial})
        made = await _create(door, actor, name)
    return made


async def enable(door: Door, actor: Actor, enrolling: Enrolling, *, code1: str, code2: str) -> str:
    """Give the device to whoever acts, against two consecutive codes, and return its serial number.

    Raises the AwsError that says why not.
    """
    person = actor.principal
    if person.kind is PrincipalKind.PERSON:
        codes = {"AuthenticationCode1": code1.replace(" ", ""), "AuthenticationCode2": code2.replace(" ", "")}
        parameters: dict[str, object] = {**of_person(person), "DeviceName": enrolling.name, "Seed": enrolling.seed, **codes}
        made = await acting.call(door, actor, _DIRECTORY, "CompleteVirtualMfaDeviceRegistration", parameters)
        return _serial(door, person, str(made["DeviceId"]))
    await acting.call(door, actor, "iam", "EnableMFADevice", with_codes(person, enrolling.serial, code1=code1, code2=code2))
    return enrolling.serial


def of_person(person: Principal) -> dict[str, object]:
    """Return how operations of the identity store are told which person is meant."""
    return {"IdentityStoreId": person.path.strip("/"), "UserId": person.person_id}


def _serial(door: Door, person: Principal, device_id: str) -> str:
    with door.snapshot() as db:
        held = mfa_devices.of_owner(db, person.account_id, person.unique_id)
    return next((each.serial for each in held if each.device_id == device_id), "")


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
    name = enrolling.name or enrolling.serial.rpartition("/")[2]
    owner = person.name or person.account_id
    seed = totp.read_seed(enrolling.seed)
    return totp.qr_svg(totp.provisioning_uri(seed, device_name=name, owner=owner, issuer=ISSUER))


def most_devices(door: Door, person: Principal) -> int:
    """Return how many devices somebody may have, of whatever kind."""
    with door.snapshot() as db:
        return quotas.in_account(db, person.account_id, own_mfa.DEVICES_PER_USER)


def registration_options(door: Door, person: Principal, party: RelyingParty, challenge: bytes, *, shown_name: str) -> Json:
    """Build what the browser is asked to register; the person's keys are left out."""
    with door.snapshot() as db:
        registered = [key for _, key in factors.passkeys_of(db, person)]
    someone = Person(factors.handle_of(person), shown_name, shown_name)
    return webauthn.creation_options(party, someone, challenge=challenge, registered=registered)


def with_passkey(person: Principal, *, name: str, answer: Json, challenge: bytes, party: RelyingParty) -> dict[str, object]:
    """Return the parameters of RegisterPasskey for a new passkey or security key of one's own; raises ValidationError."""
    (origin,) = party.origins
    answered = {
        "Credential": json.dumps(answer),
        "Challenge": challenge,
        "RelyingParty": {"Id": party.id, "Name": party.name, "Origin": origin},
    }
    if person.kind is PrincipalKind.PERSON:
        if not re.fullmatch(_PERSON_DEVICE, name):
            raise errors.ServiceValidation(_WRONG_NAME)
        return {**of_person(person), "DeviceName": name, **answered}
    if not re.fullmatch(passkeys.NAME, name):
        raise errors.ValidationError("The device name must be 1 to 64 letters, digits and any of _+=,.@-")
    return {"UserName": user_name(person), "SerialNumber": passkeys.new_serial(person, name), **answered}


async def register_passkey(door: Door, actor: Actor, parameters: Mapping[str, object]) -> str:
    """Register a passkey for whoever acts, and return its serial number; raises the AwsError that says why not."""
    if actor.principal.kind is PrincipalKind.PERSON:
        made = await acting.call(door, actor, _DIRECTORY, "CompleteWebAuthnDeviceRegistration", parameters)
        return _serial(door, actor.principal, str(made["DeviceId"]))
    await acting.call(door, actor, "account-security", "RegisterPasskey", parameters)
    return str(parameters["SerialNumber"])


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

    def work(db: Transaction) -> Commit[Next | Arrived | Expired | Stale]:
        if not progress.spend(db, begun):
            return Commit(Stale(), [])
        entered, rows = progress.proceed(db, door.wiring, begun, origin=visit.origin, now=visit.now)
        return Commit(entered, rows)

    return await sign_in_steps.commit(door, work)


def enrolled(begun: Progress, method: Method, serial: str) -> Progress:
    """Return progress in which a device was enrolled: that proves the factor, too."""
    return replace(begun, method=method, mfa_serial=serial, enrolling=None)


async def _create(door: Door, actor: Actor, name: str) -> Enrolling:
    result = await acting.call(door, actor, "iam", "CreateVirtualMFADevice", {"VirtualMFADeviceName": name})
    device = result["VirtualMFADevice"]
    assert isinstance(device, dict)  # noqa: S101 - the operation's own shape, for the type checker
    return Enrolling(str(device["SerialNumber"]), bytes(device["Base32StringSeed"]).decode())


async def change_password(door: Door, actor: Actor, *, old: str, new: str) -> None:
    """Change the password of whoever acts, by their own operation for it; raises the AwsError that says why not."""
    service = _DIRECTORY if actor.principal.kind is PrincipalKind.PERSON else "iam"
    await acting.call(door, actor, service, "ChangePassword", {"OldPassword": old, "NewPassword": new})
