"""Recommendations: what the account's posture says is still open, why it matters, and where it is set right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from crownkeep.console.kit import report_lines, signed_audits
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.signed_audits import LastAudit
from crownkeep.console.pages.posture import last_root_use
from crownkeep.console.pages.posture.last_root_use import LastUse
from crownkeep.console.pages.posture.posture import Findings, Posture, RootFactor, Unprotected

STRONG_LENGTH = 12
"""The least that the guide asks a password to be long; CIS asks for 14."""

_NAMED = 3
_CONTACT = "/console/account/alternate-contacts/"
_FACTORS = {
    RootFactor.APP: "Root has an authenticator app. A passkey or hardware token is better: it can't be typed into a false page.",
    RootFactor.RESISTANT: "Root has a passkey or a hardware token, which CIS asks for.",
    RootFactor.SOME: "Root has an MFA device; of which kind it is, root sees here.",
}


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
    """Return all recommendations in the order in which the guide takes them."""
    return [
        _administrator(posture.administrators),
        _password_policy(posture),
        _alias(posture.alias),
        _security_contact(posture),
        _other_contacts(posture),
        _root_mfa(posture, is_root),
        _users_mfa(posture.unprotected),
        of_credentials(posture.findings),
        of_audits(posture.audited),
        _root_keys(posture, is_root),
        _root_use(posture.root_used),
        _trail(posture.newest_event),
    ]


def _administrator(found: Sequence[str] | Refused) -> Recommendation:
    why = "Root can't be limited. Use a named administrator for daily work."
    said = ("administrator", "An administrator other than root exists", why)
    if isinstance(found, Refused):
        return _unknown(said, found)
    if found:
        return Recommendation(*said, Status.DONE, f"{_named(found)} may do everything.", "View users", "/console/users")
    return Recommendation(*said, Status.OPEN, "No user has AdministratorAccess.", "Create user", "/console/create-user")


def _password_policy(posture: Posture) -> Recommendation:
    said = ("password-policy", "The password policy is strong", "Short passwords are guessed, and one is enough for an attacker.")
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
    said = ("alias", "The account has an alias", "People notice a wrong name in an address. They don't notice wrong digits.")
    if isinstance(alias, Refused):
        return _unknown(said, alias)
    if not alias:
        return Recommendation(*said, Status.OPEN, "Users sign in with twelve digits.", "Create alias", "/console/account/alias")
    return Recommendation(*said, Status.DONE, f"It is {alias}.", "Edit alias", "/console/account/alias")


def _security_contact(posture: Posture) -> Recommendation:
    said = ("security-contact", "A security contact is named", "Warnings that go only to root's mailbox are read too late.")
    contact, path = posture.contacts["security"], _CONTACT + "security"
    if isinstance(contact, Refused):
        return _unknown(said, contact)
    if not contact:
        return Recommendation(*said, Status.OPEN, "There is none.", "Add contact", path)
    return Recommendation(*said, Status.DONE, f"It is {contact['Name']}, {contact['EmailAddress']}.", "Edit contact", path)


def _other_contacts(posture: Posture) -> Recommendation:
    said = (
        "contacts",
        "Owner, billing and operations can be reached",
        "Without contacts, nobody is warned, and nobody can prove who owns the account.",
    )
    found = {"owner": posture.primary_contact, **{slug: posture.contacts[slug] for slug in ("billing", "operations")}}
    refused = next((contact for contact in found.values() if isinstance(contact, Refused)), None)
    if refused is not None:
        return _unknown(said, refused)
    missing = [slug for slug, contact in found.items() if not contact]
    if not missing:
        return Recommendation(*said, Status.DONE, "All three are named.", "View contacts", "/console/account")
    path = "/console/account/contact" if missing[0] == "owner" else _CONTACT + missing[0]
    detail = f"Nobody is named for {' and '.join(missing)}." if len(missing) < len(found) else "Nobody is named yet."
    return Recommendation(*said, Status.OPEN, detail, "Add contact", path)


def _root_mfa(posture: Posture, is_root: bool) -> Recommendation:
    said = ("root-mfa", "Root signs in with MFA", "Without MFA, root's password alone gives access to everything.")
    if isinstance(posture.root_factor, Refused):
        return _unknown(said, posture.root_factor)
    if posture.root_factor is not RootFactor.NOTHING:
        better = ("Add a passkey", "/console/mfa/add") if is_root and posture.root_factor is RootFactor.APP else ()
        return Recommendation(*said, Status.DONE, _FACTORS[posture.root_factor], *better)
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
        # After a few no more are looked for, so how many there are isn't known.
        who = _named(found.names) if len(found.names) <= _NAMED else f"{', '.join(found.names[:_NAMED])} and others"
        detail = f"{who} {verb} in with a password alone."
        return Recommendation(*said, Status.OPEN, detail, "View users", "/console/users")
    if found.needs_report:
        detail = "There are too many users to check one by one. Make a credential report."
        return Recommendation(*said, Status.UNKNOWN, detail, "Generate report", report)
    return Recommendation(*said, Status.DONE, "Nobody signs in with a password alone.", "View report", report)


def of_credentials(found: Findings | Refused) -> Recommendation:
    """Return what a credential report says of credentials that are unused or old."""
    why = "Nobody notices when an unused key or password is stolen."
    said = ("credentials", "No credential is old or unused", why)
    path = report_lines.PATH
    if isinstance(found, Refused):
        if not report_lines.needs_one(found):
            return _unknown(said, found)
        detail = "Make a new credential report to check this."
        return Recommendation(*said, Status.UNKNOWN, detail, "Generate report", path)
    if found.unused:
        detail = f"{_named(found.unused)} {_have(found.unused)} a credential unused for {report_lines.UNUSED_DAYS} days."
        return Recommendation(*said, Status.OPEN, detail, "View unused", f"{path}?show=unused")
    if found.old:
        detail = f"{_named(found.old)} {_have(found.old)} a credential older than {report_lines.OLD_DAYS} days."
        return Recommendation(*said, Status.OPEN, detail, "View old", f"{path}?show=old")
    detail = f"So says the report of {found.generated_at:%Y-%m-%d %H:%M} UTC."
    return Recommendation(*said, Status.DONE, detail, "View report", path)


def of_audits(found: LastAudit | Refused) -> Recommendation:
    """Say whether somebody has looked at every credential within a quarter; a younger account has until then."""
    why = "Unneeded credentials stay until people ask who still needs them."
    said = ("credential-audit", "Credentials are audited every quarter", why)
    if isinstance(found, Refused):
        return _unknown(said, found)
    path = signed_audits.PATH
    if found.signed is None:
        if found.due_at is not None and not found.is_due:
            detail = f"There was no audit yet; the first is due on {found.due_at:%Y-%m-%d}, when the account is a quarter old."
            return Recommendation(*said, Status.DONE, detail, "Start audit", path)
        return Recommendation(*said, Status.OPEN, "There was no credential audit yet.", "Start audit", path)
    days = found.signed.days
    detail = f"Last credential audit {'today' if days == 0 else 'a day ago' if days == 1 else f'{days} days ago'}."
    if found.is_due:
        return Recommendation(*said, Status.OPEN, detail, "Start audit", path)
    return Recommendation(*said, Status.DONE, detail, "View audits", path)


def _root_keys(posture: Posture, is_root: bool) -> Recommendation:
    said = ("root-keys", "Root has no access keys", "A root key can't be limited. Anybody who finds it owns the account.")
    if isinstance(posture.summary, Refused):
        return _unknown(said, posture.summary)
    if not posture.summary["AccountAccessKeysPresent"]:
        return Recommendation(*said, Status.DONE, "There are none.")
    if is_root:
        return Recommendation(*said, Status.OPEN, "Root has an access key.", "Delete root's keys", last_root_use.KEYS)
    return Recommendation(*said, Status.OPEN, "Root has an access key. Only root can delete it: sign in as root.")


def _root_use(used: LastUse | Refused) -> Recommendation:
    said = ("root-use", "Root is used by people only, and rarely", "A program that runs as root can be made to do anything.")
    look, path = "View root's use", "/console/trail/root"
    if isinstance(used, Refused):
        return _unknown(said, used)
    central = f" Taken on centrally by the organization {_moment(used.central.at)}: {used.central.name}." if used.central else ""
    if used.own is not None:
        act = used.own
        detail = f"Last used {_moment(act.at)} from {act.address} by {act.credentials}: {act.name}.{central}"
        return Recommendation(*said, Status.OPEN if act.has_long_term_key else Status.DONE, detail, look, path)
    if used.back_to is not None:
        return Recommendation(
            *said,
            Status.UNKNOWN,
            f"Not used since {_moment(used.back_to)}, as far back as the lookups reached.{central}",
            look,
            path,
        )
    return Recommendation(*said, Status.DONE, f"Not used in the last 90 days, this session aside.{central}", look, path)


def _trail(newest: datetime | Refused | None) -> Recommendation:
    said = ("trail", "The trail can be read", "You can't explain events that you can't look up.")
    if isinstance(newest, Refused):
        return _unknown(said, newest)
    detail = f"Its newest event is of {newest:%Y-%m-%d %H:%M} UTC." if newest else "It has no event yet."
    return Recommendation(*said, Status.DONE, detail, "View trail", "/console/trail")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _unknown(said: tuple[str, str, str], refused: Refused) -> Recommendation:
    return Recommendation(*said, Status.UNKNOWN, "", refused=refused)


def _named(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are."""
    shown, more = list(names[:_NAMED]), len(names) - _NAMED
    if more > 0:
        shown.append(f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
