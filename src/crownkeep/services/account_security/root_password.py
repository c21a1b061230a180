"""Root's password, changed by whoever is signed in as root and knows the present one; its other sessions end.

AWS's console does it without an operation and records it as PasswordUpdated. Wrong present passwords are counted as proofs of
presence are: a stolen session must not be a way to guess the password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from crownkeep import arn, errors
from crownkeep.credentials import passwords
from crownkeep.credentials.secret import Secret
from crownkeep.operations import record
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target, sign_in_event
from crownkeep.services.account_security import root_user
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import entry, presence, root_passwords, throttle
from crownkeep.signin.throttle import Counter
from crownkeep.storage.database import Transaction

_NOT_ROOT = "Only the root user changes its password."
_TOO_MANY = "Rate exceeded: too many wrong passwords. Try again later."


@dataclass(frozen=True, slots=True)
class _Change:
    """What was computed for a change: whether the present password is right, which one, and the new one or its faults."""

    is_right: bool
    version: int
    violations: tuple[str, ...]
    hashed: str


def root(call: Call, **_: object) -> Target:
    """The account's root user."""
    return Target(arn.root(call.account_id))


def prepare_change(call: Call, *, old_password: str, new_password: str) -> _Change:
    """Verify the present password and, where it is right, hold the new one to the rules and hash it."""
    row = root_user.required(call, otherwise=_NOT_ROOT)
    # Before hashing: whoever must wait gets no guess computed, and takes no turn in the pool.
    if throttle.waiting(call.db, presence.counters_of(call.wiring, call.principal, call.origin), now=call.now):
        raise errors.Throttling(_TOO_MANY)
    # Where the present one is wrong, the new one is not even looked at: its faults would tell whether the guess was right.
    stored = row.root_password_hash
    if stored is None or not passwords.verify(Secret(old_password), stored):
        return _Change(is_right=False, version=row.root_credential_version, violations=(), hashed="")
    new = Secret(new_password)
    violations = root_passwords.assess(call.wiring, new, row).violations
    return _Change(
        is_right=True,
        version=row.root_credential_version,
        violations=violations,
        hashed="" if violations else root_passwords.hashed(call.wiring, new, row),
    )


@account_security.operation(
    "ChangeRootPassword",
    resource=root,
    effect=Effect.STATE,
    prepare=prepare_change,
    recorded_as=sign_in_event("PasswordUpdated"),
)
def change_root_password(call: Call, *, old_password: str, new_password: str) -> Result:
    """Put root's new password in the place of the present one; all sessions of root but this one end by that."""
    row, change = root_user.required(call, otherwise=_NOT_ROOT), call.prepared
    used = presence.counters_of(call.wiring, call.principal, call.origin)
    # 1. Refuse unseen while root must wait. The account is held since before this, so that many at once gain nothing.
    if throttle.reserve(call.db, used, now=call.now) is not None:
        raise errors.Throttling(_TOO_MANY)
    # 2. A wrong password counts although the call is refused.
    if not isinstance(change, _Change) or not change.is_right:
        _count_failure(call, used)
        raise errors.AccessDenied(root_passwords.WRONG_PRESENT)
    # 3. With the right one, whatever is wrong with the new one takes the attempt back.
    if change.version != row.root_credential_version:
        raise errors.Conflict("The password was changed in the meantime.")
    if change.violations:
        raise errors.ValidationError("; ".join(change.violations))
    throttle.release(call.db, used)
    root_passwords.set_password(call.db, call.principal, change.hashed, now=call.now)
    return NOTHING


def _count_failure(call: Call, used: tuple[Counter, ...]) -> None:
    call.notes.lasting.append(partial(_count, used, call.now))
    person = record.as_person(call.principal)
    claim = presence.claim_of(person)
    call.notes.further += entry.throttled(call.db, claim, person, used, origin=call.origin, now=call.now)


def _count(used: Sequence[Counter], now: datetime, db: Transaction) -> None:
    throttle.reserve(db, used, now=now)
