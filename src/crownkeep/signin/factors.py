"""Second factors: one-time codes, passkeys and recovery codes, verified for sign-in and for a fresh proof, each good once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from crownkeep.credentials import recovery_codes as codes
from crownkeep.credentials import totp, webauthn
from crownkeep.credentials.recovery_codes import InvalidRecoveryCode
from crownkeep.credentials.sealing import Unsealable
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.webauthn import ClonedAuthenticator, Json, Passkey, RelyingParty, WebauthnRefused
from crownkeep.domain.credentials import mfa, own_mfa
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import entry, events, people, person_events, progress, sign_in_steps, throttle
from crownkeep.signin.entry import Entered, Visit
from crownkeep.signin.flow import FactorStep, Method
from crownkeep.signin.people import Credentials
from crownkeep.signin.progress import Next, Progress, Stale
from crownkeep.signin.throttle import Counter, Waiting
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import mfa_devices, passkeys
from crownkeep.storage.credentials.mfa_devices import DeviceKind, MfaDeviceRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import recovery_codes
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit

_log = logging.getLogger("crownkeep.signin")


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code of the TOTP device with this serial number."""

    serial: str
    code: str


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """What a browser answers to a challenge."""

    answer: Json
    party: RelyingParty


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A recovery code."""

    code: Secret


Answer = Code | PasskeyAnswer | RecoveryCode
_METHODS = {Code: Method.TOTP, PasskeyAnswer: Method.PASSKEY, RecoveryCode: Method.RECOVERY_CODE}


class Rejection(Enum):
    """Why a factor was not accepted, as far as its person may know."""

    WRONG = "wrong"
    TOO_MANY = "too many attempts with this device"
    CLONED = "the key's counter went back"
    UNREADABLE = "the device's secret can't be read, which is the server's fault"


@dataclass(frozen=True, slots=True)
class Verified:
    """A factor was good, and is used up."""

    method: Method
    serial: str
    rows: tuple[EventRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A factor was not accepted."""

    reason: Rejection
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A factor was not accepted in a sign-in, which asks for one again."""

    rejected: Rejected
    at: Next
    """Where the sign-in stands now; a challenge that was answered is not asked again."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """A passkey's answer whose signature was verified: the device it belongs to, and the key with its new counter."""

    device: MfaDeviceRow
    passkey: Passkey


Checked = _Signed | Rejection | None


async def present(door: Door, visit: Visit, begun: Progress, answer: Answer) -> Entered | AskedAgain | Stale:
    """Go on with a sign-in by a second factor: the step is taken once, and a failed one is counted before its answer leaves.

    `begun.trusts` says that the person wants to be asked for none in this browser from now on, where that may be.
    """
    wiring, now = door.wiring, visit.now
    # The same counters as for passwords: guessing codes is no way around them.
    used = throttle.counters(wiring.keyring, wiring.settings, begun.claim, address=visit.origin.source_ip, browser=begun.browser)
    checked, is_counted = None, isinstance(answer, PasskeyAnswer)
    if is_counted:
        # 1. A passkey's try is counted, or refused unseen, before its signature is verified, which happens outside of the
        # transaction.
        stands = progress.stands_at(door, begun, now=now)
        if not isinstance(stands, Next) or not isinstance(stands.step, FactorStep):
            return Stale()
        waiting = await sign_in_steps.commit(door, lambda db: Commit(throttle.reserve(db, used, now=now), []))
        if waiting is not None:
            return waiting
        checked = await check(door, begun.person, answer, begun.challenge)

    def work(db: Transaction) -> Commit[Entered | AskedAgain | Stale]:
        # 2. From here on no device of the account can be changed or removed by somebody else.
        accounts.hold(db, begun.person.account_id)
        at = progress.look(db, wiring, begun, now=now)
        if not isinstance(at, Next) or not isinstance(at.step, FactorStep):
            return Commit(Stale(), [])
        # 3. A code's try is refused unseen, or counted by the transaction that verifies it, so that many at once gain nothing.
        held = () if is_counted else throttle.hold(db, used, now=now)
        if isinstance(held, Waiting):
            return Commit(held, [])
        verified = verify(db, wiring, begun.person, answer, checked, origin=visit.origin, now=now, methods=at.step.methods)
        if isinstance(verified, Rejected):
            throttle.count(db, held, now=now)
            return _rejected(db, wiring, visit, at, answer, verified, used)
        # 4. Spend the step and go on.
        if not progress.spend(db, begun, found=at.found):
            # Somebody else went on from here in the meantime; the factor is used up all the same.
            throttle.count(db, held, now=now)
            return Commit(Stale(), list(verified.rows))
        if is_counted:
            # Only now is the try taken back: it was right, and the step is ours.
            throttle.release(db, used)
        made = replace(begun, method=verified.method, mfa_serial=verified.serial)
        proved = _proved(made, verified, visit)
        entered, rows = progress.proceed(db, wiring, made, origin=visit.origin, now=now, found=at.found)
        return Commit(entered, [*proved, *rows])

    return await sign_in_steps.commit(door, work)


async def anew(door: Door, begun: Progress) -> Progress | Stale:
    """Return progress with a fresh challenge for passkeys; the progress before it is void."""

    def work(db: Transaction) -> Commit[Progress | Stale]:
        if not progress.spend(db, begun):
            return Commit(Stale(), [])
        return Commit(progress.renew(db, begun), [])

    return await sign_in_steps.commit(door, work)


async def check(door: Door, person: Principal, answer: Answer, challenge: bytes) -> Checked:
    """Verify the signature of a passkey's answer to a challenge, in the small pool; None for other factors."""
    if not isinstance(answer, PasskeyAnswer):
        return None
    with door.snapshot() as db:
        keys = passkeys_of(db, person)
    return await door.compute(lambda: _signed(answer, keys, challenge, handle_of(person)))


def verify(
    db: Transaction,
    wiring: Wiring,
    person: Principal,
    answer: Answer,
    checked: Checked,
    *,
    origin: Origin,
    now: datetime,
    methods: Sequence[Method],
) -> Verified | Rejected:
    """Accept a factor and use it up, or reject it and keep what that leaves. The account's row must be held."""
    match answer:
        case Code() if Method.TOTP in methods:
            return _verify_code(db, wiring, person, answer, now)
        case PasskeyAnswer() if Method.PASSKEY in methods:
            return _verify_passkey(db, checked)
        case RecoveryCode() if Method.RECOVERY_CODE in methods:
            return _verify_recovery_code(db, person, answer, origin, now)
        # Also a method that this person doesn't have, or that isn't enough: whatever is presented, it is wrong.
        case _:
            return Rejected(Rejection.WRONG)


def handle_of(person: Principal) -> bytes:
    """Return the handle that passkeys know a person by: it stays for life and tells nothing."""
    # A hash, as handles are stored on devices that others may read (WebAuthn level 3, section 14.6.1).
    return hashlib.sha256(f"crownkeep person {person.account_id} {person.unique_id}".encode()).digest()


def passkeys_of(db: Transaction, person: Principal) -> list[tuple[MfaDeviceRow, Passkey]]:
    """Return a person's passkeys, each with the device it is."""
    found = []
    for device in mfa_devices.of_owner(db, person.account_id, person.unique_id):
        if device.kind is DeviceKind.FIDO and device.credential_id and device.public_key:
            row = passkeys.of_device(db, person.account_id, device.device_id)
            key = Passkey(
                device.credential_id,
                device.public_key,
                device.signature_count or 0,
                device.aaguid or "",
                row.transports if row else (),
            )
            found.append((device, key))
    return found


def passkeys_to_ask(door: Door, person: Principal) -> list[Passkey]:
    """Return a person's passkeys, for the browser to be asked for one."""
    with door.snapshot() as db:
        return [key for _, key in passkeys_of(db, person)]


def codes_of(door: Door, person: Principal) -> list[MfaDeviceRow]:
    """Return a person's TOTP devices, for choosing one."""
    with door.snapshot() as db:
        return codes_among(people.credentials(db, person))


def codes_among(found: Credentials) -> list[MfaDeviceRow]:
    """Return the TOTP devices among what somebody has to sign in with."""
    return [each for each in found.devices if each.sealed_seed is not None]


def _proved(made: Progress, verified: Verified, visit: Visit) -> list[EventRow]:
    if made.person.kind is not PrincipalKind.PERSON:
        return list(verified.rows)
    answer = person_events.verified(made.person, visit.origin, visit.now, verified.method, workflow=made.workflow)
    return [*verified.rows, answer]


def _rejected(
    db: Transaction, wiring: Wiring, visit: Visit, at: Next, answer: Answer, rejected: Rejected, used: tuple[Counter, ...]
) -> Commit[Entered | AskedAgain | Stale]:
    begun = at.progress
    # A challenge is spent by one answer, good or bad (WebAuthn level 3, section 13.4.3).
    is_spent = isinstance(answer, PasskeyAnswer) and progress.spend(db, begun)
    going_on = progress.renew(db, begun) if is_spent else begun
    failed = _failed(wiring, visit, begun, answer, rejected)
    waits = entry.throttled(db, begun.claim, begun.person, used, origin=visit.origin, now=visit.now)
    cloned = [events.cloned(begun.person, visit.origin, visit.now)] if rejected.reason is Rejection.CLONED else []
    return Commit(AskedAgain(rejected, replace(at, progress=going_on)), [*cloned, failed, *waits])


def _failed(wiring: Wiring, visit: Visit, begun: Progress, answer: Answer, rejected: Rejected) -> EventRow:
    if begun.person.kind is PrincipalKind.PERSON:
        method = _METHODS[type(answer)]
        return person_events.refused(begun.person, visit.origin, visit.now, method, workflow=begun.workflow)
    to = progress.login_to(wiring, begun)
    return events.failed_login(begun.person, visit.origin, visit.now, to=to, mfa_serial=rejected.serial or "")


def _verify_code(db: Transaction, wiring: Wiring, person: Principal, answer: Code, now: datetime) -> Verified | Rejected:
    device = mfa_devices.with_serial(db, person.account_id, answer.serial)
    # The serial comes from a form: another person's device in the account must not do.
    if device is None or device.owner_id != person.unique_id or device.sealed_seed is None:
        return Rejected(Rejection.WRONG)
    try:
        mfa.spend_code(db, wiring.keyring, device, answer.code.replace(" ", ""), now=now)
    except totp.TooManyAttempts:
        return Rejected(Rejection.TOO_MANY, device.serial)
    except totp.InvalidCode:
        return Rejected(Rejection.WRONG, device.serial)
    except Unsealable:
        _log.error("the seed of the device `%s` opens with no key of the key file", device.serial)
        return Rejected(Rejection.UNREADABLE, device.serial)
    return Verified(Method.TOTP, device.serial)


def _signed(
    answer: PasskeyAnswer, keys: Sequence[tuple[MfaDeviceRow, Passkey]], challenge: bytes, handle: bytes
) -> _Signed | Rejection:
    # Without a challenge of ours nothing is proved, however good the signature is.
    if not challenge or not keys:
        return Rejection.WRONG
    try:
        used = webauthn.authenticate(answer.party, answer.answer, [key for _, key in keys], challenge=challenge, handle=handle)
    except ClonedAuthenticator:
        return Rejection.CLONED
    except WebauthnRefused:
        return Rejection.WRONG
    return next(_Signed(device, used) for device, key in keys if key.credential_id == used.credential_id)


def _verify_passkey(db: Transaction, checked: Checked) -> Verified | Rejected:
    if not isinstance(checked, _Signed):
        return Rejected(checked or Rejection.WRONG)
    device = checked.device
    kept = mfa_devices.with_serial(db, device.account_id, device.serial)
    if kept is None or kept.owner_id != device.owner_id:
        return Rejected(Rejection.WRONG)
    if kept.signature_count != device.signature_count:
        # Another answer of the same key was accepted since this one was looked at.
        return Rejected(Rejection.CLONED, device.serial)
    passkeys.set_signature_count(db, device.account_id, device.device_id, checked.passkey.sign_count)
    return Verified(Method.PASSKEY, device.serial)


def _verify_recovery_code(
    db: Transaction, person: Principal, answer: RecoveryCode, origin: Origin, now: datetime
) -> Verified | Rejected:
    unspent = recovery_codes.of_owner(db, person.account_id, person.unique_id)
    serial = own_mfa.recovery_serial(person)
    if not unspent:
        return Rejected(Rejection.WRONG, serial)
    try:
        spent = codes.spend(answer.code, [row.digest for row in unspent], salt=unspent[0].salt)
    except InvalidRecoveryCode:
        return Rejected(Rejection.WRONG, serial)
    # Used up in this transaction: on another node the same code meets the held account, and then finds nothing.
    recovery_codes.remove(db, next(row for row in unspent if row.digest == spent))
    used = events.of(person, origin, now, "RecoveryCodeUsed", additional={"RemainingRecoveryCodes": len(unspent) - 1})
    return Verified(Method.RECOVERY_CODE, serial, (used,))
