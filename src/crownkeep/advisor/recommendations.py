"""Recommendations: what an account's posture says is still open, why it matters, and what a page can offer to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from crownkeep.advisor import calls as questions
from crownkeep.advisor import catalogue, password_policies, posture
from crownkeep.advisor.check import CheckState, Verdict
from crownkeep.advisor.credential_report import OLD_DAYS, UNUSED_DAYS
from crownkeep.advisor.evidence import ApiAnswer, Evidence, Missing
from crownkeep.advisor.posture import LastAudit, LastUse, Posture, ReportedCredentials, RootFactor, Unprotected
from crownkeep.advisor.view import CannotTell, DoesNotApply, View

STRONG_LENGTH = 12
"""The least that the guide asks a password to be long; CIS asks for 14, and so does the check `password-length`."""

_NAMED = 3
_FACTORS = {
    RootFactor.APP: "Root has an authenticator app. A passkey or security key is better: no code can be typed into a false page.",
    RootFactor.RESISTANT: "Root has a passkey or a hardware token, which CIS asks for.",
    RootFactor.SOME: "Root has an MFA device; of which kind it is, root sees here.",
}
_URGENT = frozenset({"administrator", "root-mfa", "root-keys", "root-use", "users-mfa"})
_CONTACTS = {"owner": "contact-primary", "billing": "contact-billing", "operations": "contact-operations"}


class Status(Enum):
    """How a recommendation stands."""

    DONE = "done"
    OPEN = "open"
    UNKNOWN = "unknown"
    """A permission is missing, or a report."""
    NOT_APPLICABLE = "not-applicable"
    """There is nothing to do yet, and nothing was done."""


class Remedy(Enum):
    """Where something is looked at or set right; a page knows the way."""

    USERS = "users"
    CREATE_USER = "create-user"
    CHOOSE_POLICY = "choose-policy"
    PASSWORD_POLICY = "password-policy"
    CREATE_ALIAS = "create-alias"
    EDIT_ALIAS = "edit-alias"
    ADD_OWNER = "add-owner"
    ADD_BILLING = "add-billing"
    ADD_OPERATIONS = "add-operations"
    ADD_SECURITY = "add-security"
    EDIT_SECURITY = "edit-security"
    CONTACTS = "contacts"
    ADD_PASSKEY = "add-passkey"
    ASSIGN_MFA = "assign-mfa"
    REPORT = "report"
    MAKE_REPORT = "make-report"
    REPORT_UNUSED = "report-unused"
    REPORT_OLD = "report-old"
    START_AUDIT = "start-audit"
    AUDITS = "audits"
    ROOT_KEYS = "root-keys"
    ROOT_TRAIL = "root-trail"
    TRAIL = "trail"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do."""

    slug: str
    title: str
    why: str
    status: Status
    detail: str
    remedy: Remedy | None = None
    """Where it is looked at or set right; None where somebody else has to do it."""
    missing: Missing | None = None

    @property
    def is_urgent(self) -> bool:
        """Whether it is open, and one leaked secret would be enough for somebody to own the account."""
        return self.status is Status.OPEN and self.slug in _URGENT


_Said = tuple[str, str, str]
"""A recommendation's slug, its title, and why."""


def of(found: Posture, *, is_root: bool) -> list[Recommendation]:
    """Return all recommendations in the order in which the guide takes them."""
    return [
        _administrator(found.administrators),
        _judged(_PASSWORD_POLICY, found.evidence, _password_policy),
        _judged(_ALIAS, found.evidence, _alias),
        _judged(_SECURITY_CONTACT, found.evidence, _security_contact),
        _judged(_OTHER_CONTACTS, found.evidence, _other_contacts),
        _root_mfa(found.root_factor, is_root),
        _users_mfa(found.unprotected, found.evidence),
        of_credentials(found.credentials),
        of_audits(found.audited),
        _judged(_ROOT_KEYS, found.evidence, lambda evidence: _root_keys(evidence, is_root)),
        _root_use(found.root_used),
        _trail(found.newest_event),
    ]


def _judged(said: _Said, evidence: Evidence, tell: Callable[[Evidence], Recommendation]) -> Recommendation:
    try:
        return tell(evidence)
    except CannotTell as error:
        return Recommendation(*said, Status.UNKNOWN, "" if error.missing else str(error), missing=error.missing)


def _verdict(name: str, evidence: Evidence) -> Verdict:
    """Return what a check that judges the account as a whole says; raises CannotTell."""
    found = catalogue.named(name)
    if found is None:
        raise ValueError(f"there is no check `{name}`")
    try:
        return next(iter(found.judge(View(evidence))))
    except DoesNotApply as error:
        return Verdict(CheckState.NOT_APPLICABLE, str(error))


def _administrator(found: Sequence[str] | Missing) -> Recommendation:
    why = "Root can't be limited. Use a named administrator for daily work."
    said = ("administrator", "Create an administrator who isn't root", why)
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found:
        return Recommendation(*said, Status.DONE, f"{_named(found)} may do everything.", Remedy.USERS)
    return Recommendation(*said, Status.OPEN, "No user has AdministratorAccess.", Remedy.CREATE_USER)


_PASSWORD_POLICY = (
    "password-policy",
    "Ask for strong passwords",
    "Short passwords are guessed, and one is enough for an attacker.",
)


def _password_policy(evidence: Evidence) -> Recommendation:
    policy = password_policies.of(View(evidence))
    if not policy:
        return Recommendation(*_PASSWORD_POLICY, Status.OPEN, "AWS's default asks for 8 characters.", Remedy.CHOOSE_POLICY)
    length = policy.get("MinimumPasswordLength", 0)
    if length < STRONG_LENGTH:
        detail = f"It asks for {length} characters; ask for {STRONG_LENGTH} or more."
        return Recommendation(*_PASSWORD_POLICY, Status.OPEN, detail, Remedy.CHOOSE_POLICY)
    return Recommendation(*_PASSWORD_POLICY, Status.DONE, f"It asks for at least {length} characters.", Remedy.PASSWORD_POLICY)


_ALIAS = ("alias", "Give the account an alias", "People notice a wrong name in an address. They don't notice wrong digits.")


def _alias(evidence: Evidence) -> Recommendation:
    verdict = _verdict("account-alias", evidence)
    if verdict.state is CheckState.FAIL:
        return Recommendation(*_ALIAS, Status.OPEN, "Users sign in with twelve digits.", Remedy.CREATE_ALIAS)
    return Recommendation(*_ALIAS, Status.DONE, verdict.detail, Remedy.EDIT_ALIAS)


_SECURITY_CONTACT = (
    "security-contact",
    "Name a security contact",
    "Warnings that go only to root's mailbox are read too late.",
)


def _security_contact(evidence: Evidence) -> Recommendation:
    verdict = _verdict("contact-security", evidence)
    if verdict.state is CheckState.FAIL:
        return Recommendation(*_SECURITY_CONTACT, Status.OPEN, verdict.detail, Remedy.ADD_SECURITY)
    return Recommendation(*_SECURITY_CONTACT, Status.DONE, verdict.detail, Remedy.EDIT_SECURITY)


_OTHER_CONTACTS = (
    "contacts",
    "Name contacts for owner, billing and operations",
    "Without contacts, nobody is warned, and nobody can prove who owns the account.",
)


def _other_contacts(evidence: Evidence) -> Recommendation:
    missing = [who for who, check in _CONTACTS.items() if _verdict(check, evidence).state is CheckState.FAIL]
    if not missing:
        return Recommendation(*_OTHER_CONTACTS, Status.DONE, "All three are named.", Remedy.CONTACTS)
    detail = f"Nobody is named for {' and '.join(missing)}." if len(missing) < len(_CONTACTS) else "Nobody is named yet."
    return Recommendation(*_OTHER_CONTACTS, Status.OPEN, detail, Remedy(f"add-{missing[0]}"))


def _root_mfa(found: RootFactor | Missing, is_root: bool) -> Recommendation:
    said = ("root-mfa", "Set up MFA for root", "Without MFA, root's password alone gives access to everything.")
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found is not RootFactor.NOTHING:
        better = Remedy.ADD_PASSKEY if is_root and found is RootFactor.APP else None
        return Recommendation(*said, Status.DONE, _FACTORS[found], better)
    if is_root:
        return Recommendation(*said, Status.OPEN, "Root has no MFA device.", Remedy.ASSIGN_MFA)
    return Recommendation(*said, Status.OPEN, "Root has no MFA device. Only root can assign one: sign in as root.")


def _users_mfa(found: Unprotected | Missing, evidence: Evidence) -> Recommendation:
    said = ("users-mfa", "Set up MFA for every user with a password", "Passwords leak, are guessed and are used twice.")
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found.names:
        verb = "signs" if len(found.names) == 1 else "sign"
        # After a few no more are looked for, so how many there are isn't known.
        who = _named(found.names) if len(found.names) <= _NAMED else f"{', '.join(found.names[:_NAMED])} and others"
        return Recommendation(*said, Status.OPEN, f"{who} {verb} in with a password alone.", Remedy.USERS)
    if found.needs_report:
        detail = "There are too many users to check one by one. Make a credential report."
        return Recommendation(*said, Status.UNKNOWN, detail, Remedy.MAKE_REPORT)
    if _has_no_users(evidence):
        return Recommendation(*said, Status.NOT_APPLICABLE, "There are no users yet.")
    return Recommendation(*said, Status.DONE, "Nobody signs in with a password alone.", Remedy.REPORT)


def _has_no_users(evidence: Evidence) -> bool:
    summary = evidence.answers.get(questions.SUMMARY.text)
    return isinstance(summary, ApiAnswer) and (summary.value or {}).get("SummaryMap", {}).get("Users") == 0


def of_credentials(found: ReportedCredentials | Missing) -> Recommendation:
    """Return what a credential report says of credentials that are unused or old."""
    why = "Nobody notices when an unused key or password is stolen."
    said = ("credentials", "Replace old credentials and remove unused ones", why)
    if isinstance(found, Missing):
        if not posture.needs_report(found):
            return _unknown(said, found)
        return Recommendation(*said, Status.UNKNOWN, "Make a new credential report to check this.", Remedy.MAKE_REPORT)
    if found.unused:
        detail = f"{_named(found.unused)} {_have(found.unused)} a credential unused for {UNUSED_DAYS} days."
        return Recommendation(*said, Status.OPEN, detail, Remedy.REPORT_UNUSED)
    if found.old:
        detail = f"{_named(found.old)} {_have(found.old)} a credential older than {OLD_DAYS} days."
        return Recommendation(*said, Status.OPEN, detail, Remedy.REPORT_OLD)
    return Recommendation(*said, Status.DONE, f"So says the report of {_moment(found.generated_at)}.", Remedy.REPORT)


def of_audits(found: LastAudit | Missing) -> Recommendation:
    """Say whether somebody has looked at every credential within a quarter; a younger account has until then."""
    why = "Unneeded credentials stay until people ask who still needs them."
    said = ("credential-audit", "Audit credentials every quarter", why)
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found.signed_at is None:
        if found.due_at is not None and not found.is_due:
            detail = f"No audit is due yet: the first is on {found.due_at:%Y-%m-%d}, when the account is a quarter old."
            return Recommendation(*said, Status.NOT_APPLICABLE, detail, Remedy.START_AUDIT)
        return Recommendation(*said, Status.OPEN, "There was no credential audit yet.", Remedy.START_AUDIT)
    days = found.days
    detail = f"Last credential audit {'today' if days == 0 else 'a day ago' if days == 1 else f'{days} days ago'}."
    if found.is_due:
        return Recommendation(*said, Status.OPEN, detail, Remedy.START_AUDIT)
    return Recommendation(*said, Status.DONE, detail, Remedy.AUDITS)


_ROOT_KEYS = ("root-keys", "Delete root's access keys", "A root key can't be limited. Anybody who finds it owns the account.")


def _root_keys(evidence: Evidence, is_root: bool) -> Recommendation:
    verdict = _verdict("root-access-keys", evidence)
    if verdict.state is not CheckState.FAIL:
        return Recommendation(*_ROOT_KEYS, Status.DONE, "There are none.")
    if is_root:
        return Recommendation(*_ROOT_KEYS, Status.OPEN, verdict.detail, Remedy.ROOT_KEYS)
    return Recommendation(*_ROOT_KEYS, Status.OPEN, f"{verdict.detail} Only root can delete it: sign in as root.")


def _root_use(used: LastUse | Missing) -> Recommendation:
    said = ("root-use", "Let no program run as root", "A program that runs as root can be made to do anything.")
    if isinstance(used, Missing):
        return _unknown(said, used)
    central = f" Taken on centrally by the organization {_moment(used.central.at)}: {used.central.name}." if used.central else ""
    if used.own is not None:
        act = used.own
        detail = f"Last used {_moment(act.at)} from {act.address} by {act.credentials}: {act.name}.{central}"
        return Recommendation(*said, Status.OPEN if act.has_long_term_key else Status.DONE, detail, Remedy.ROOT_TRAIL)
    if used.back_to is not None:
        detail = f"Not used since {_moment(used.back_to)}, as far back as the lookups reached.{central}"
        return Recommendation(*said, Status.UNKNOWN, detail, Remedy.ROOT_TRAIL)
    detail = f"Not used in the last 90 days, this session aside.{central}"
    return Recommendation(*said, Status.DONE, detail, Remedy.ROOT_TRAIL)


def _trail(newest: datetime | Missing | None) -> Recommendation:
    said = ("trail", "Make sure that you can read the trail", "You can't explain events that you can't look up.")
    if isinstance(newest, Missing):
        return _unknown(said, newest)
    detail = f"Its newest event is of {_moment(newest)}." if newest else "It has no event yet."
    return Recommendation(*said, Status.DONE, detail, Remedy.TRAIL)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _unknown(said: _Said, missing: Missing) -> Recommendation:
    return Recommendation(*said, Status.UNKNOWN, "", missing=missing)


def _named(names: Sequence[str]) -> str:
    """Name a few, and say how many more there are."""
    shown, more = list(names[:_NAMED]), len(names) - _NAMED
    if more > 0:
        shown.append(f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
