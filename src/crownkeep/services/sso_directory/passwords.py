"""Passwords of people: changed by themselves, reset by a mailed link or to one for once by an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from crownkeep import base64url, clock, errors
from crownkeep.credentials import passwords
from crownkeep.credentials.secret import Secret
from crownkeep.domain.single_sign_on import provider_settings
from crownkeep.operations import record
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.principals import PrincipalKind
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.signin import entry, person_notices, person_passwords, presence, throttle
from crownkeep.signin.throttle import Counter
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import directory_users, person_credentials
from crownkeep.storage.single_sign_on.person_credentials import PersonCredentialsRow

_TOO_MANY = "Rate exceeded: too many wrong passwords. Try again later."
_WRONG = "The present password is not right."
_ONCE_BYTES = 15


@dataclass(frozen=True, slots=True)
class PersonPasswordChange:
    """What was computed for a change: whether the present password is right, which one, and the new one or its faults."""

    is_right: bool
    version: int
    violations: tuple[str, ...] = ()
    hashed: str = ""


@dataclass(frozen=True, slots=True)
class PasswordForOnce:
    """A password that an administrator hands over, and its hash; none where a link is mailed."""

    password: Secret | None
    hashed: str


def prepare_change(call: Call, *, old_password: str, new_password: str) -> PersonPasswordChange:
    """Verify the present password and, where it is right, hold the new one to the rules and hash it."""
    kept = _kept(call)
    # Before hashing: whoever must wait gets no guess computed, and takes no turn in the pool.
    if throttle.waiting(call.db, presence.counters_of(call.wiring, call.principal, call.origin), now=call.now):
        raise errors.Throttling(_TOO_MANY)
    if not passwords.verify(Secret(old_password), kept.password_hash):
        # Told as a value and refused in the transaction, where the failure can be counted.
        return PersonPasswordChange(is_right=False, version=kept.credential_version)
    user = directory_users.with_id(call.db, call.principal.path.strip("/"), call.principal.person_id)
    if user is None:
        raise errors.AccessDenied("There is no such person any more.")
    made = person_passwords.prepare(call.wiring, Secret(new_password), user, kept)
    return PersonPasswordChange(
        is_right=True, version=kept.credential_version, violations=made.found.violations, hashed=made.hashed
    )


@sso_directory.operation(
    "ChangePassword", resource=targets.myself, action="sso-directory:UpdatePassword", effect=Effect.STATE, prepare=prepare_change
)
def change_password(call: Call, *, old_password: str, new_password: str) -> Result:
    """Put the caller's new password in the place of the present one; all their sessions but this one end."""
    person, change, kept = call.principal, call.prepared, _kept(call)
    used = presence.counters_of(call.wiring, person, call.origin)
    # 1. Refuse unseen while the person must wait. The account is held since before this.
    if throttle.reserve(call.db, used, now=call.now) is not None:
        raise errors.Throttling(_TOO_MANY)
    # 2. A wrong password counts although the call is refused.
    if not isinstance(change, PersonPasswordChange) or not change.is_right:
        _count_failure(call, used)
        raise errors.AccessDenied(_WRONG)
    # 3. With the right one, whatever is wrong with the new one takes the attempt back.
    if change.version != kept.credential_version:
        raise errors.Conflict("The password was changed in the meantime.")
    if change.violations:
        raise errors.ServiceValidation("; ".join(change.violations))
    throttle.release(call.db, used)
    digest = call.binding.session_digest if call.binding is not None else b""
    person_passwords.set_password(call.db, person, change.hashed, now=call.now, but=digest)
    user = directory_users.with_id(call.db, person.path.strip("/"), person.person_id)
    if user is not None:
        person_notices.password_changed(call.db, call.wiring, user, call.origin, now=call.now)
    call.notes.additional["UserName"] = person.name
    return NOTHING


def prepare_reset(call: Call, *, identity_store_id: str, user_id: str, password_mode: str) -> PasswordForOnce:
    """Make a password for once and hash it, where that is asked for."""
    if password_mode != "OTP":
        return PasswordForOnce(None, "")
    # The first four characters are one of each class, which the rules ask for; the rest is what nobody guesses.
    password = Secret(f"Aa1!{base64url.encode(clock.token_bytes(_ONCE_BYTES))}")
    salt = clock.token_bytes(passwords.SALT_SIZE)
    return PasswordForOnce(password, passwords.hash_password(password, salt=salt, cost=entry.cost(call.wiring)))


@sso_directory.operation("UpdatePassword", resource=targets.user, effect=Effect.STATE, prepare=prepare_reset)
def update_password(call: Call, *, identity_store_id: str, user_id: str, password_mode: str) -> Result:
    """Mail a person a link to choose a password, or give them one for once; by an administrator."""
    found, made = targets.changeable(call), call.prepared
    if call.principal.kind is PrincipalKind.PERSON:
        raise errors.AccessDenied("People of single sign-on change their password by ChangePassword.")
    provider_settings.require_none(call, found.instance.identity_store_id)
    if isinstance(made, PasswordForOnce) and made.password is not None:
        person_passwords.set_password(call.db, found.person, made.hashed, now=call.now, reset_required=True)
        person_notices.password_changed(call.db, call.wiring, found.user, call.origin, now=call.now)
        return {"Password": made.password.reveal()}
    if not person_notices.email_of(found.user):
        raise errors.Conflict("The person has no email address.")
    if not found.user.is_active:
        raise errors.Conflict("The person is disabled.")
    start = found.instance.identity_store_id
    person_passwords.post(call.db, call.wiring, found.person, start, found.user, call.origin, call.now)
    return NOTHING


def _kept(call: Call) -> PersonCredentialsRow:
    person = call.principal
    if person.kind is not PrincipalKind.PERSON or call.binding is None:
        raise errors.AccessDenied("This is for people of single sign-on, in the browser that they signed in with.")
    provider_settings.require_none(call, person.path.strip("/"))
    kept = person_credentials.of_owner(call.db, person.account_id, person.unique_id)
    if kept is None:
        raise errors.AccessDenied("You have no password here.")
    return kept


def _count_failure(call: Call, used: tuple[Counter, ...]) -> None:
    call.notes.lasting.append(partial(_count, call, used))
    person = record.as_person(call.principal)
    claim = presence.claim_of(person)
    call.notes.further += entry.throttled(call.db, claim, person, used, origin=call.origin, now=call.now)


def _count(call: Call, used: tuple[Counter, ...], db: Transaction) -> None:
    throttle.reserve(db, used, now=call.now)
