"""Recommendations: what the account's posture says is still open, why it matters, and where it is set right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from crownkeep.console.calls import Refused
from crownkeep.console.pages.posture import Posture, Unprotected

STRONG_LENGTH = 12
"""The least that the guide asks a password to be long; CIS asks for 14."""

_NAMED = 3


class Status(Enum):
    """How a recommendation stands."""

    DONE = "done"
    OPEN = "open"
    UNKNOWN = "unknown"
    """A permission is missing, or a report."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing that should be so."""

    slug: str
    title: str
    why: str
    status: Status
    detail: str
    fix: str = ""
    """What the button says; empty where somebody else has to do it."""
    path: str = ""
    refused: Refused | None = None


def of(posture: Posture, *, is_root: bool) -> list[Recommendation]:
    """Answer all recommendations in the order in which the guide takes them."""
    return [
        _administrator(posture.administrators),
        _password_policy(posture),
        _alias(posture.alias),
        _security_contact(posture),
        _root_mfa(posture, is_root),
        _users_mfa(posture.unprotected),
        _root_keys(posture, is_root),
    ]


def _administrator(found: Sequence[str] | Refused) -> Recommendation:
    why = "Root can't be limited and should be left alone; daily work needs an administrator with a name of its own."
    said = ("administrator", "An administrator other than root exists", why)
    if isinstance(found, Refused):
        return _unknown(said, found)
    if found:
        return Recommendation(*said, Status.DONE, f"{_named(found)} may do everything.", "View users", "/console/users")
    return Recommendation(*said, Status.OPEN, "No user has AdministratorAccess.", "Create user", "/console/create-user")


def _password_policy(posture: Posture) -> Recommendation:
    said = ("password-policy", "The password policy is strong", "A short password is guessed, and one of them is enough.")
    policy, path = posture.policy, "/console/password-policy"
    if isinstance(policy, Refused):
        return _unknown(said, policy)
    if policy is None:
        return Recommendation(*said, Status.OPEN, "AWS's default asks for 8 characters.", "Choose a policy", path)
    length = policy.get("MinimumPasswordLength", 0)
    if isinstance(length, int) and length < STRONG_LENGTH:
        detail = f"It asks for {length} characters; ask for {STRONG_LENGTH} or more."
        return Recommendation(*said, Status.OPEN, detail, "Choose a policy", path)
    return Recommendation(*said, Status.DONE, f"It asks for at least {length} characters.", "View the policy", path)


def _alias(alias: str | Refused) -> Recommendation:
    said = ("alias", "The account has an alias", "People check an address that they can read; twelve digits they can't.")
    if isinstance(alias, Refused):
        return _unknown(said, alias)
    if not alias:
        return Recommendation(*said, Status.OPEN, "Users sign in with twelve digits.", "Create alias", "/console/account/alias")
    return Recommendation(*said, Status.DONE, f"It is {alias}.", "Edit alias", "/console/account/alias")


def _security_contact(posture: Posture) -> Recommendation:
    said = ("security-contact", "A security contact is named", "A warning that goes to root's mailbox alone is read too late.")
    contact, path = posture.security_contact, "/console/account/alternate-contacts/security"
    if isinstance(contact, Refused):
        return _unknown(said, contact)
    if not contact:
        return Recommendation(*said, Status.OPEN, "There is none.", "Add contact", path)
    return Recommendation(*said, Status.DONE, f"It is {contact['Name']}, {contact['EmailAddress']}.", "Edit contact", path)


def _root_mfa(posture: Posture, is_root: bool) -> Recommendation:
    said = ("root-mfa", "Root signs in with MFA", "Root's password alone would open everything there is.")
    if isinstance(posture.summary, Refused):
        return _unknown(said, posture.summary)
    if posture.summary["AccountMFAEnabled"]:
        return Recommendation(*said, Status.DONE, "Root has an MFA device.")
    if is_root:
        return Recommendation(*said, Status.OPEN, "Root has no MFA device.", "Assign MFA device", "/console/mfa/add")
    return Recommendation(*said, Status.OPEN, "Root has no MFA device. Only root can assign one: sign in as root.")


def _users_mfa(found: Unprotected | Refused) -> Recommendation:
    said = ("users-mfa", "Every user with a password has MFA", "Passwords leak, are guessed and are used twice.")
    report = "/console/credential-report"
    if isinstance(found, Refused):
        return _unknown(said, found)
    if found.names:
        verb = "signs" if len(found.names) == 1 else "sign"
        detail = f"{_named(found.names)} {verb} in with a password alone."
        return Recommendation(*said, Status.OPEN, detail, "View users", "/console/users")
    if found.needs_report:
        detail = "There are too many users to ask for one by one: a credential report says it."
        return Recommendation(*said, Status.UNKNOWN, detail, "Generate report", report)
    return Recommendation(*said, Status.DONE, "Nobody signs in with a password alone.", "View report", report)


def _root_keys(posture: Posture, is_root: bool) -> Recommendation:
    said = ("root-keys", "Root has no access keys", "A key of root can't be limited, and whoever finds it owns the account.")
    if isinstance(posture.summary, Refused):
        return _unknown(said, posture.summary)
    if not posture.summary["AccountAccessKeysPresent"]:
        return Recommendation(*said, Status.DONE, "There are none.")
    if is_root:
        return Recommendation(*said, Status.OPEN, "Root has an access key.", "Delete root's keys", "/console/root-keys")
    return Recommendation(*said, Status.OPEN, "Root has an access key. Only root can delete it: sign in as root.")


def _unknown(said: tuple[str, str, str], refused: Refused) -> Recommendation:
    return Recommendation(*said, Status.UNKNOWN, "", refused=refused)


def _named(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are."""
    shown, more = list(names[:_NAMED]), len(names) - _NAMED
    if more > 0:
        shown.append(f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
