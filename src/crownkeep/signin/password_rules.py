"""Which passwords are taken for root and, beyond AWS's rules, for users: none that is common or known from a breach."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from crownkeep.credentials import password_policy, strength
from crownkeep.credentials.breached import BreachedPasswords
from crownkeep.credentials.password_policy import PasswordRules
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.strength import Strength
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.settings import Settings
from crownkeep.storage.credentials import password_policies

BREACHED_FILE = "breached-passwords.idx"
"""The index of breached passwords in the data directory, where the operator has imported one (`credentials.breached`)."""

COMMON = "Password should not be one of the most used passwords: they are tried first"
BREACHED = "Password should not be one that has appeared in a known data breach"
GUESSABLE = "Password should not be easy to guess: make it longer, of words that don't go together"
NEEDED_SCORE = 4
"""What root's password must score in zxcvbn, the highest there is: it is all that stands before a device is enrolled."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is wrong with a password, and how strong it is."""

    violations: tuple[str, ...]
    strength: Strength


def shown(door: Door, person: Principal) -> PasswordRules:
    """Return the rules to show where somebody types a new password of their own."""
    match person.kind:
        case PrincipalKind.ROOT:
            return password_policy.root_rules()
        case PrincipalKind.PERSON:
            return password_policy.person_rules()
        case _:
            with door.snapshot() as db:
                return password_policy.rules(password_policies.of_account(db, person.account_id))


def assess_for_root(wiring: Wiring, password: Secret, *, account_name: str, email: str) -> Assessment:
    """Hold a password to AWS's rules for root and to ours, whichever way it comes in; takes some milliseconds."""
    broken = password_policy.root_violations(password, account_name=account_name, email=email)
    return _assessed(wiring, password, broken, (account_name, email))


def _assessed(wiring: Wiring, password: Secret, broken: tuple[str, ...], known: tuple[str, str]) -> Assessment:
    found = strength.assess(password, known=known)
    guessable = (GUESSABLE,) if found.score < NEEDED_SCORE else ()
    return Assessment((*broken, *exposed(wiring.settings, password), *guessable), found)


def assess_for_person(wiring: Wiring, password: Secret, *, known: tuple[str, str]) -> Assessment:
    """Hold a password to the rules of an identity store and to ours; `known` are the person's user name and e-mail address."""
    broken = password_policy.person_violations(password, user_name=known[0], email=known[1])
    return _assessed(wiring, password, broken, known)


def exposed(settings: Settings, password: Secret) -> tuple[str, ...]:
    """Return why a password that conforms to every rule would still be guessed."""
    found = (COMMON,) if strength.is_common(password) else ()
    breached = _breached(settings.data_directory / BREACHED_FILE)
    return (*found, BREACHED) if breached is not None and password in breached else found


def _breached(path: Path) -> BreachedPasswords | None:
    try:
        stamp = path.stat()
    except FileNotFoundError:
        return None
    return _opened(path, stamp.st_ino, stamp.st_mtime_ns)


@lru_cache(maxsize=1)
def _opened(path: Path, _inode: int, _changed: int) -> BreachedPasswords:
    with path.open("rb") as file:
        return BreachedPasswords(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
