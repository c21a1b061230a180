"""Rules of an identity store for the sign-in of its people: second factors, and places in which they are not asked for one.

A place is a browser that has proved a second factor, in the network where it did. Its digest holds the version of the person's
credentials: whoever changes a password or a device is asked everywhere anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Purpose
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import sweeping, throttle
from crownkeep.signin.flow import Demands, Enrolment, Method
from crownkeep.signin.people import Credentials
from crownkeep.signin.throttle import Claim
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import trusted_places
from crownkeep.storage.single_sign_on import person_sign_in_rules
from crownkeep.storage.single_sign_on.person_sign_in_rules import MfaMode, SignInRulesRow, WithoutDevice

TRUSTED_FOR = timedelta(days=30)
"""How long a place is trusted."""


def of(db: Transaction, person: Principal) -> SignInRulesRow:
    """Return the rules for a person."""
    return person_sign_in_rules.of_store(db, person.account_id, person.path.strip("/"))


def demands(
    db: Transaction, person: Principal, found: Credentials, methods: tuple[Method, ...], *, is_trusted: bool, now: datetime
) -> Demands:
    """Return what is demanded of a person as of now."""
    rules = of(db, person)
    needs_mfa = rules.mfa_mode is not MfaMode.NEVER
    must_enrol = needs_mfa and not methods and rules.without_device is WithoutDevice.REGISTER
    is_asked = rules.mfa_mode is MfaMode.ALWAYS or (rules.mfa_mode is MfaMode.CONTEXT and not is_trusted)
    return Demands(
        methods if is_asked else (),
        Enrolment.REQUIRED if must_enrol else Enrolment.NOT_NEEDED,
        must_change_password=found.reset_required or is_expired(rules, found.password_changed_at, now=now),
    )


def is_expired(rules: SignInRulesRow, changed_at: datetime | None, *, now: datetime) -> bool:
    """Tell whether a password is older than the rules let it be; it is changed at the next sign-in."""
    if changed_at is None or not rules.max_password_age_days:
        return False
    return now >= changed_at + timedelta(days=rules.max_password_age_days)


def may_trust(db: Transaction, person: Principal) -> bool:
    """Tell whether a person may say that this browser is to be trusted."""
    return of(db, person).mfa_mode is MfaMode.CONTEXT


def is_offered(door: Door, person: Principal) -> bool:
    """Tell the same of somebody who is signing in; nobody but people of single sign-on may."""
    if person.kind is not PrincipalKind.PERSON:
        return False
    with door.snapshot() as db:
        return may_trust(db, person)


def trusts(db: Transaction, wiring: Wiring, claim: Claim, version: bytes, browser: str, origin: Origin, *, now: datetime) -> bool:
    """Tell whether somebody signs in at a place that they trust."""
    if not claim.is_persons or not browser:
        return False
    return trusted_places.is_trusted(db, _digest(wiring, claim, version, browser, origin), now=now)


def trust(
    db: Transaction,
    wiring: Wiring,
    claim: Claim,
    version: bytes,
    browser: str,
    origin: Origin,
    *,
    person: Principal,
    now: datetime,
) -> None:
    """Remember that a person trusts the place where they have just proved a second factor, where the rules let them."""
    if not may_trust(db, person):
        return
    if sweeping.is_due():
        trusted_places.forget(db, before=now)
    digest = _digest(wiring, claim, version, browser, origin)
    trusted_places.trust(db, digest, person.account_id, person.unique_id, until=now + TRUSTED_FOR)


def _digest(wiring: Wiring, claim: Claim, version: bytes, browser: str, origin: Origin) -> bytes:
    # Keyed, so that the table tells nobody from where people come.
    message = f"place {claim.name} {browser} {throttle.network(origin.source_ip)} {version.hex()}"
    return sealing.fingerprint(wiring.keyring, message.encode("utf-8", "replace"), purpose=Purpose.SIGN_IN_FLOW)
