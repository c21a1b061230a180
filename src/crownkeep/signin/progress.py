"""Progress of a sign-in that has begun: sealed into a short-lived cookie between pages, each step of it taken once.

What is demanded is read anew at every step, and whatever changed the person's credentials in between voids the whole progress.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import password_policy, sealing, webauthn
from crownkeep.credentials.password_policy import PasswordStanding
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import admissions, browsers, events, flow, people, person_events, person_rules, sessions, sweeping, throttle
from crownkeep.signin.admissions import Admission, Barred
from crownkeep.signin.flow import (
    ApprovalStep,
    ChangePasswordStep,
    Demands,
    Enrolment,
    EnrolStep,
    FactorStep,
    Method,
    Proofs,
    SignInComplete,
    Step,
)
from crownkeep.signin.people import Credentials
from crownkeep.signin.sessions import Opened
from crownkeep.signin.throttle import Claim
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import password_policies
from crownkeep.storage.credentials.mfa_devices import DeviceKind
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.sign_in import recovery_codes, sign_in_nonces, sign_in_settings
from crownkeep.storage.sign_in.sign_in_settings import SignInSettingsRow
from crownkeep.storage.trail.events import EventRow

LASTS = timedelta(minutes=15)
"""How long a sign-in may take from the password to its end."""

_NONCE_BYTES = 16
_CONTEXT = sealing.context_of("sign-in")
# How exactly the last use of a password is kept: a write for every sign-in would cost more than it tells.
_USED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A virtual device that is being enrolled: its seed is shown again when the codes were wrong."""

    serial: str
    seed: str
    name: str = ""
    """What the device is called where its serial number does not say it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody has come. The password is proved in every progress: before that there is none."""

    person: Principal
    # Of password and devices together: whatever changes either voids a sign-in that is under way.
    version: bytes
    """The credentials that were proved."""
    nonce: bytes
    began_at: datetime
    claim: Claim
    browser: str
    to: str
    method: Method | None = None
    mfa_serial: str | None = None
    put_off: bool = False
    challenge: bytes = b""
    enrolling: Enrolling | None = None
    workflow: str = ""
    """What the records of this sign-in have in common, of a person of single sign-on."""
    is_trusted: bool = False
    """Whether the person has said to trust this browser where it is: then no second factor is asked for in it."""
    trusts: bool = False
    """Whether they say so now."""

    @property
    def proofs(self) -> Proofs:
        """What was proved, for the state machine."""
        return Proofs(password=True, method=self.method, put_off=self.put_off)


@dataclass(frozen=True, slots=True)
class Next:
    """The sign-in goes on with this step."""

    progress: Progress
    step: FactorStep | EnrolStep | ChangePasswordStep | ApprovalStep
    found: Credentials
    """What its person has to sign in with, as it was just read."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody has signed in."""

    opened: Opened
    person: Principal
    claim: Claim
    to: str
    is_offered_codes: bool
    """Whether they use MFA, have nothing for the day when the device is lost, and have not said that they want nothing."""
    browser: str = ""
    """This browser's number for its person, which a known browser has already; empty for a new one of the console's choice."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that was presented is wrong; people are not told what."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The sign-in took too long, was finished elsewhere, or the person's credentials changed: it begins anew."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The password has expired for good: an administrator must set a new one."""


def begin(person: Principal, version: bytes, *, claim: Claim, browser: str, to: str, now: datetime) -> Progress:
    """Return the progress of somebody who has just proved the password; `proceed` gives it a nonce."""
    # Events of IAM Identity Center share a workflow's id; those of root and users have none.
    workflow = person_events.new_workflow() if person.kind is PrincipalKind.PERSON else ""
    return Progress(person, version, b"", now, claim, browser, to, workflow=workflow)


def seal(keyring: Keyring, progress: Progress) -> str:
    """Seal progress for the cookie."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    plain = msgspec.json.encode(progress)
    sealed = sealing.seal(keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce)
    return base64url.encode(sealed)


def unseal(keyring: Keyring, cookie: str, *, now: datetime) -> Progress | None:
    """Open what `seal` made; None for anything else, and for what has taken too long."""
    try:
        blob = base64url.decode(cookie)
        plain = sealing.unseal(keyring, blob, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        progress = msgspec.json.decode(plain, type=Progress)
    except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    # The cookie's own end is not believed: a browser may keep it for as long as it likes.
    return progress if now < progress.began_at + LASTS else None


def look(db: Transaction, wiring: Wiring, progress: Progress, *, now: datetime) -> Next | Stale:
    """Return the step that progress stands at, for its page; nothing is spent by looking."""
    found = people.credentials(db, progress.person)
    # A cookie can be copied. The nonce makes each step work once, and the version voids a sign-in that was begun with the old
    # password.
    if found.version != progress.version or not sign_in_nonces.exists(db, progress.nonce):
        return Stale()
    step = flow.advance(progress.proofs, demands(db, wiring, progress, found, now=now))
    admission = admissions.of(db, progress.person, now=now)
    step = _sealed(step, admission)
    if isinstance(admission, Admission) and isinstance(step, SignInComplete):
        # Approved while the page was open: the next step lets them in.
        step = ApprovalStep(admissions.UNAPPROVED)
    if isinstance(step, FactorStep | EnrolStep | ChangePasswordStep | ApprovalStep):
        return Next(progress, step, found)
    return Stale()


def stands_at(door: Door, progress: Progress, *, now: datetime) -> Next | Stale:
    """Return the same, outside of a transaction."""
    with door.snapshot() as db:
        return look(db, door.wiring, progress, now=now)


def spend(db: Transaction, progress: Progress, *, found: Credentials | None = None) -> bool:
    """Take a step; returns False where it was taken before or where the credentials have changed since.

    A caller who has just read the person's credentials in this transaction hands them in as `found`.
    """
    kept = found or people.credentials(db, progress.person)
    return kept.version == progress.version and sign_in_nonces.spend(db, progress.nonce)


def renew(db: Transaction, progress: Progress, *, version: bytes | None = None) -> Progress:
    """Give progress a fresh nonce and challenge, bound to the credentials as they are now.

    `version` is theirs, where the caller has just read them in this transaction.
    """
    nonce = clock.token_bytes(_NONCE_BYTES)
    # Old nonces go once in a while, by whoever happens to sign in: no process has to run for it.
    if sweeping.is_due():
        sign_in_nonces.forget(db, before=progress.began_at - LASTS)
    sign_in_nonces.add(db, nonce, progress.person.account_id, expires_at=progress.began_at + LASTS)
    # A fresh challenge with each step, so that a passkey's answer belongs to this step and no other.
    challenge = clock.token_bytes(webauthn.CHALLENGE_SIZE)
    return replace(progress, nonce=nonce, challenge=challenge, version=version or people.credentials(db, progress.person).version)


def proceed(
    db: Transaction, wiring: Wiring, progress: Progress, *, origin: Origin, now: datetime, found: Credentials | None = None
) -> tuple[Next | Arrived | Expired, list[EventRow]]:
    """Return the next step of progress that was just made, or open the session; the caller spent the step before.

    A caller who has just read the person's credentials in this transaction hands them in as `found`.
    """
    person = progress.person
    found = found or people.credentials(db, person)
    if person_rules.trusts(db, wiring, progress.claim, found.version, progress.browser, origin, now=now):
        progress = replace(progress, is_trusted=True)
    # Read anew at every step, in this transaction: a demand that was made a moment ago holds for this sign-in too.
    wanted = demands(db, wiring, progress, found, now=now)
    admission = admissions.of(db, person, now=now)
    match _sealed(flow.advance(progress.proofs, wanted), admission):
        case SignInComplete():
            admitted = admission if isinstance(admission, Admission) else None
            # Another browser may have used the approval up meanwhile: it is good for one session.
            if admitted is not None and not admissions.use(db, person, admitted, now=now):
                return Next(renew(db, progress, version=found.version), ApprovalStep(admissions.UNAPPROVED), found), []
            return _arrive(db, wiring, replace(progress, version=found.version), origin, now, admitted, found)
        case FactorStep() | EnrolStep() | ChangePasswordStep() | ApprovalStep() as step:
            asked = [_asked(progress, origin, now, step)] if isinstance(step, FactorStep) else []
            return Next(renew(db, progress, version=found.version), step, found), asked
        case _:
            return Expired(), [
                events.failed_login(person, origin, now, to=login_to(wiring, progress), mfa_serial=progress.mfa_serial)
            ]


def _asked(progress: Progress, origin: Origin, now: datetime, step: FactorStep) -> EventRow:
    if progress.person.kind is PrincipalKind.PERSON:
        return person_events.challenged(progress.person, origin, now, step.methods, workflow=progress.workflow)
    return events.check_mfa(progress.person, origin, now, step.methods)


def _sealed(step: Step, admission: Admission | Barred | None) -> Step:
    """Return what comes before a step for a sealed root: its custodians' approval, once the second factor is proved."""
    # The second factor comes first: nobody learns that an account is sealed, or troubles its custodians, by a password alone.
    if isinstance(admission, Barred) and not isinstance(step, FactorStep):
        return ApprovalStep(admission.why, admission.until)
    return step


def demands(db: Transaction, wiring: Wiring, progress: Progress, found: Credentials, *, now: datetime) -> Demands:
    """Return what is demanded of a person as of now."""
    person = progress.person
    methods = methods_of(db, person, found)
    if person.kind is PrincipalKind.PERSON:
        return person_rules.demands(db, person, found, methods, is_trusted=progress.is_trusted, now=now)
    settings = sign_in_settings.of_account(db, person.account_id)
    if person.kind is PrincipalKind.ROOT:
        needs_passkey = wiring.settings.root_needs_phishing_resistant_mfa
        enrolment = flow.enrolment_of_root(
            methods,
            needs_passkey=needs_passkey,
            without_mfa_since=settings.root_without_mfa_since,
            grace_days=wiring.settings.root_mfa_grace_days,
            now=now,
        )
        if needs_passkey and Method.PASSKEY in methods:
            # An authenticator app can be phished. If it were still taken, the demand for a passkey would demand nothing.
            methods = tuple(method for method in methods if method is not Method.TOTP)
        return Demands(methods, enrolment)
    standing = PasswordStanding.CURRENT
    if found.password_changed_at is not None:
        policy = password_policies.of_account(db, person.account_id)
        standing = password_policy.standing(policy, found.password_changed_at, now=now)
    needs_mfa = settings.users_need_mfa or found.needs_mfa
    return Demands(
        methods,
        # A device can only be demanded of somebody who has none; whoever has one is asked for it anyway.
        Enrolment.REQUIRED if needs_mfa and not methods else Enrolment.NOT_NEEDED,
        must_change_password=found.reset_required or standing is PasswordStanding.MUST_CHANGE,
        is_expired_for_good=standing is PasswordStanding.MUST_BE_RESET,
    )


def methods_of(db: Transaction, person: Principal, found: Credentials) -> tuple[Method, ...]:
    """Return the second factors that a person has."""
    kinds = {each.kind for each in found.devices}
    methods = [Method.PASSKEY] if DeviceKind.FIDO in kinds else []
    methods += [Method.TOTP] if kinds & {DeviceKind.VIRTUAL, DeviceKind.HARDWARE} else []
    # Codes alone are no second factor: they only stand in for a device.
    if methods and recovery_codes.count(db, person.account_id, person.unique_id):
        methods.append(Method.RECOVERY_CODE)
    return tuple(methods)


def login_to(wiring: Wiring, progress: Progress) -> str:
    """Return where somebody is signing in to, as records show it."""
    return f"{wiring.settings.url}{progress.to}"


def _arrive(
    db: Transaction,
    wiring: Wiring,
    progress: Progress,
    origin: Origin,
    now: datetime,
    admission: Admission | None,
    found: Credentials,
) -> tuple[Arrived, list[EventRow]]:
    person = progress.person
    # With the session, in one transaction: failures are forgotten only where somebody really got in.
    counted = throttle.own(wiring.keyring, wiring.settings, progress.claim, browser=progress.browser)
    throttle.clear(db, (counted,), now=now)
    opened = sessions.open_session(
        db,
        person,
        origin=origin,
        now=now,
        mfa_serial=progress.mfa_serial,
        lifetime=sessions.lifetime_of(db, person, found=found) if admission is None else admission.lasts,
        version=progress.version,
        approved_by=admission.session_id if admission is not None else "",
    )
    _remember_use(db, person, now)
    # The days of grace count from the first sign-in without a device, and not from the account's creation.
    if person.kind is PrincipalKind.ROOT and progress.mfa_serial is None:
        _begin_grace(db, person.account_id, now)
    is_offered_codes = progress.mfa_serial is not None and _may_want_codes(db, person)
    to = login_to(wiring, progress)
    if person.kind is PrincipalKind.PERSON:
        browser = progress.browser or browsers.new_number()
        if progress.trusts and progress.mfa_serial is not None:
            person_rules.trust(db, wiring, progress.claim, progress.version, browser, origin, person=person, now=now)
        arrived = Arrived(opened, person, progress.claim, progress.to, is_offered_codes, browser)
        return arrived, [person_events.entered(person, origin, now, progress.method, to=to, workflow=progress.workflow)]
    arrived = Arrived(opened, person, progress.claim, progress.to, is_offered_codes)
    login = events.console_login(person, origin, now, to=to, mfa_serial=progress.mfa_serial)
    if admission is None:
        return arrived, [login]
    linked = {"approvalRequestId": admission.session_id, "sessionMinutes": admission.lasts // timedelta(minutes=1)}
    return arrived, [login, events.of(person, origin, now, "ApprovalUsed", additional=linked)]


def _may_want_codes(db: Transaction, person: Principal) -> bool:
    owner = (person.account_id, person.unique_id)
    return not recovery_codes.count(db, *owner) and not recovery_codes.has_declined(db, *owner)


def _remember_use(db: Transaction, person: Principal, now: datetime) -> None:
    """Write down when the password was used; only the first use in five minutes (IAM user guide, PasswordLastUsed)."""
    if person.kind is PrincipalKind.PERSON:
        return
    if person.kind is PrincipalKind.ROOT:
        account = accounts.with_id(db, person.account_id)
        if account and (account.root_password_used_at is None or now - account.root_password_used_at >= _USED_EVERY):
            accounts.change(db, person.account_id, root_password_used_at=now)
        return
    users.set_password_used(db, person.account_id, person.unique_id, at=now, unless_after=now - _USED_EVERY)


def _begin_grace(db: Transaction, account_id: str, now: datetime) -> None:
    settings = sign_in_settings.of_account(db, account_id)
    if settings.root_without_mfa_since is None:
        sign_in_settings.put(db, SignInSettingsRow(account_id, settings.users_need_mfa, now))
