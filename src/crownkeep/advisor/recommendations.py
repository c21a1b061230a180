"""Recommendations: what an account's posture says is still open, why it matters, and what a page can offer to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from crownkeep.advisor import calls as questions
from crownkeep.advisor import catalogue, few_names, password_policies, posture
from crownkeep.advisor.check import CheckState, Verdict
from crownkeep.advisor.credential_report import OLD_DAYS, UNUSED_DAYS
from crownkeep.advisor.evidence import ApiAnswer, Evidence, Missing
from crownkeep.advisor.posture import LastAudit, LastUse, Posture, ReportedCredentials, RootAct, RootFactor, Unprotected
from crownkeep.advisor.view import CannotTell, DoesNotApply, View
from crownkeep.translation import gettext, gettext_noop, ngettext

STRONG_LENGTH = 12
"""The least that the guide asks a password to be long; CIS asks for 14, and so does the check `password-length`."""

_FACTORS = {
    RootFactor.APP: gettext_noop(
        "Root has an authenticator app. A passkey or security key is better: no code can be typed into a false page."
    ),
    RootFactor.RESISTANT: gettext_noop("Root has a passkey or a hardware token, which CIS asks for."),
    RootFactor.SOME: gettext_noop("Root has an MFA device; of which kind it is, root sees here."),
}
_URGENT = frozenset({"administrator", "root-mfa", "root-keys", "root-use", "users-mfa"})
_CONTACTS = {"owner": "contact-primary", "billing": "contact-billing", "operations": "contact-operations"}

_ROLES = {"owner": gettext_noop("owner"), "billing": gettext_noop("billing"), "operations": gettext_noop("operations")}


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
    """Messages, looked up where they are shown; the detail is in the language that is spoken."""
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
    why = gettext_noop("Root can't be limited. Use a named administrator for daily work.")
    said = ("administrator", gettext_noop("Create an administrator who isn't root"), why)
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found:
        return Recommendation(
            *said, Status.DONE, gettext("%(names)s may do everything.", names=few_names.named(found)), Remedy.USERS
        )
    return Recommendation(*said, Status.OPEN, gettext("No user has AdministratorAccess."), Remedy.CREATE_USER)


_PASSWORD_POLICY = (
    "password-policy",
    gettext_noop("Ask for strong passwords"),
    gettext_noop("Short passwords are guessed, and one is enough for an attacker."),
)


def _password_policy(evidence: Evidence) -> Recommendation:
    policy = password_policies.of(View(evidence))
    if not policy:
        return Recommendation(
            *_PASSWORD_POLICY, Status.OPEN, gettext("AWS's default asks for 8 characters."), Remedy.CHOOSE_POLICY
        )
    length = policy.get("MinimumPasswordLength", 0)
    if length < STRONG_LENGTH:
        detail = gettext(
            "It asks for %(characters)s characters; ask for %(strong)s or more.", characters=length, strong=STRONG_LENGTH
        )
        return Recommendation(*_PASSWORD_POLICY, Status.OPEN, detail, Remedy.CHOOSE_POLICY)
    return Recommendation(
        *_PASSWORD_POLICY,
        Status.DONE,
        gettext("It asks for at least %(characters)s characters.", characters=length),
        Remedy.PASSWORD_POLICY,
    )


_ALIAS = (
    "alias",
    gettext_noop("Give the account an alias"),
    gettext_noop("People notice a wrong name in an address. They don't notice wrong digits."),
)


def _alias(evidence: Evidence) -> Recommendation:
    verdict = _verdict("account-alias", evidence)
    if verdict.state is CheckState.FAIL:
        return Recommendation(*_ALIAS, Status.OPEN, gettext("Users sign in with twelve digits."), Remedy.CREATE_ALIAS)
    return Recommendation(*_ALIAS, Status.DONE, verdict.detail, Remedy.EDIT_ALIAS)


_SECURITY_CONTACT = (
    "security-contact",
    gettext_noop("Name a security contact"),
    gettext_noop("Warnings that go only to root's mailbox are read too late."),
)


def _security_contact(evidence: Evidence) -> Recommendation:
    verdict = _verdict("contact-security", evidence)
    if verdict.state is CheckState.FAIL:
        return Recommendation(*_SECURITY_CONTACT, Status.OPEN, verdict.detail, Remedy.ADD_SECURITY)
    return Recommendation(*_SECURITY_CONTACT, Status.DONE, verdict.detail, Remedy.EDIT_SECURITY)


_OTHER_CONTACTS = (
    "contacts",
    gettext_noop("Name contacts for owner, billing and operations"),
    gettext_noop("Without contacts, nobody is warned, and nobody can prove who owns the account."),
)


def _other_contacts(evidence: Evidence) -> Recommendation:
    missing = [who for who, check in _CONTACTS.items() if _verdict(check, evidence).state is CheckState.FAIL]
    if not missing:
        return Recommendation(*_OTHER_CONTACTS, Status.DONE, gettext("All three are named."), Remedy.CONTACTS)
    return Recommendation(*_OTHER_CONTACTS, Status.OPEN, _unnamed(missing), Remedy(f"add-{missing[0]}"))


def _unnamed(missing: Sequence[str]) -> str:
    if len(missing) == len(_CONTACTS):
        return gettext("Nobody is named yet.")
    roles = [gettext(_ROLES[each]) for each in missing]
    if len(roles) == 1:
        return gettext("Nobody is named for %(role)s.", role=roles[0])
    return gettext("Nobody is named for %(role)s and %(other)s.", role=roles[0], other=roles[1])


def _root_mfa(found: RootFactor | Missing, is_root: bool) -> Recommendation:
    said = (
        "root-mfa",
        gettext_noop("Set up MFA for root"),
        gettext_noop("Without MFA, root's password alone gives access to everything."),
    )
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found is not RootFactor.NOTHING:
        better = Remedy.ADD_PASSKEY if is_root and found is RootFactor.APP else None
        return Recommendation(*said, Status.DONE, gettext(_FACTORS[found]), better)
    if is_root:
        return Recommendation(*said, Status.OPEN, gettext("Root has no MFA device."), Remedy.ASSIGN_MFA)
    return Recommendation(*said, Status.OPEN, gettext("Root has no MFA device. Only root can assign one: sign in as root."))


def _users_mfa(found: Unprotected | Missing, evidence: Evidence) -> Recommendation:
    said = (
        "users-mfa",
        gettext_noop("Set up MFA for every user with a password"),
        gettext_noop("Passwords leak, are guessed and are used twice."),
    )
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found.names:
        return Recommendation(*said, Status.OPEN, _bare(found.names), Remedy.USERS)
    if found.needs_report:
        detail = gettext("There are too many users to check one by one. Make a credential report.")
        return Recommendation(*said, Status.UNKNOWN, detail, Remedy.MAKE_REPORT)
    if _has_no_users(evidence):
        return Recommendation(*said, Status.NOT_APPLICABLE, gettext("There are no users yet."))
    return Recommendation(*said, Status.DONE, gettext("Nobody signs in with a password alone."), Remedy.REPORT)


def _bare(names: Sequence[str]) -> str:
    # After a few no more are looked for, so how many there are isn't known.
    if len(names) > few_names.MOST:
        return gettext("%(names)s and others sign in with a password alone.", names=", ".join(names[: few_names.MOST]))
    return ngettext(
        "%(names)s signs in with a password alone.",
        "%(names)s sign in with a password alone.",
        len(names),
        names=few_names.named(names),
    )


def _has_no_users(evidence: Evidence) -> bool:
    summary = evidence.answers.get(questions.SUMMARY.text)
    return isinstance(summary, ApiAnswer) and (summary.value or {}).get("SummaryMap", {}).get("Users") == 0


def of_credentials(found: ReportedCredentials | Missing) -> Recommendation:
    """Return what a credential report says of credentials that are unused or old."""
    why = gettext_noop("Nobody notices when an unused key or password is stolen.")
    said = ("credentials", gettext_noop("Replace old credentials and remove unused ones"), why)
    if isinstance(found, Missing):
        if not posture.needs_report(found):
            return _unknown(said, found)
        return Recommendation(*said, Status.UNKNOWN, gettext("Make a new credential report to check this."), Remedy.MAKE_REPORT)
    if found.unused:
        detail = ngettext(
            "%(names)s has a credential unused for %(days)s days.",
            "%(names)s have a credential unused for %(days)s days.",
            len(found.unused),
            names=few_names.named(found.unused),
            days=UNUSED_DAYS,
        )
        return Recommendation(*said, Status.OPEN, detail, Remedy.REPORT_UNUSED)
    if found.old:
        detail = ngettext(
            "%(names)s has a credential older than %(days)s days.",
            "%(names)s have a credential older than %(days)s days.",
            len(found.old),
            names=few_names.named(found.old),
            days=OLD_DAYS,
        )
        return Recommendation(*said, Status.OPEN, detail, Remedy.REPORT_OLD)
    return Recommendation(
        *said, Status.DONE, gettext("So says the report of %(moment)s.", moment=_moment(found.generated_at)), Remedy.REPORT
    )


def of_audits(found: LastAudit | Missing) -> Recommendation:
    """Say whether somebody has looked at every credential within a quarter; a younger account has until then."""
    why = gettext_noop("Unneeded credentials stay until people ask who still needs them.")
    said = ("credential-audit", gettext_noop("Audit credentials every quarter"), why)
    if isinstance(found, Missing):
        return _unknown(said, found)
    if found.signed_at is None:
        if found.due_at is not None and not found.is_due:
            detail = gettext(
                "No audit is due yet: the first is on %(day)s, when the account is a quarter old.", day=found.due_at.date()
            )
            return Recommendation(*said, Status.NOT_APPLICABLE, detail, Remedy.START_AUDIT)
        return Recommendation(*said, Status.OPEN, gettext("There was no credential audit yet."), Remedy.START_AUDIT)
    detail = _audited(found.days)
    if found.is_due:
        return Recommendation(*said, Status.OPEN, detail, Remedy.START_AUDIT)
    return Recommendation(*said, Status.DONE, detail, Remedy.AUDITS)


def _audited(days: int) -> str:
    if days == 0:
        return gettext("Last credential audit today.")
    return ngettext("Last credential audit a day ago.", "Last credential audit %(num)s days ago.", days)


_ROOT_KEYS = (
    "root-keys",
    gettext_noop("Delete root's access keys"),
    gettext_noop("A root key can't be limited. Anybody who finds it owns the account."),
)


def _root_keys(evidence: Evidence, is_root: bool) -> Recommendation:
    verdict = _verdict("root-access-keys", evidence)
    if verdict.state is not CheckState.FAIL:
        return Recommendation(*_ROOT_KEYS, Status.DONE, gettext("There are none."))
    if is_root:
        return Recommendation(*_ROOT_KEYS, Status.OPEN, verdict.detail, Remedy.ROOT_KEYS)
    return Recommendation(*_ROOT_KEYS, Status.OPEN, f"{verdict.detail} {gettext('Only root can delete it: sign in as root.')}")


def _root_use(used: LastUse | Missing) -> Recommendation:
    said = (
        "root-use",
        gettext_noop("Let no program run as root"),
        gettext_noop("A program that runs as root can be made to do anything."),
    )
    if isinstance(used, Missing):
        return _unknown(said, used)
    central = _central(used.central)
    if used.own is not None:
        act = used.own
        detail = gettext(
            "Last used %(moment)s from %(address)s by %(credentials)s: %(act)s.",
            moment=_moment(act.at),
            address=act.address,
            credentials=act.credentials,
            act=act.name,
        )
        status = Status.OPEN if act.has_long_term_key else Status.DONE
        return Recommendation(*said, status, f"{detail}{central}", Remedy.ROOT_TRAIL)
    if used.back_to is not None:
        detail = gettext("Not used since %(moment)s, as far back as the lookups reached.", moment=_moment(used.back_to))
        return Recommendation(*said, Status.UNKNOWN, f"{detail}{central}", Remedy.ROOT_TRAIL)
    detail = gettext("Not used in the last 90 days, this session aside.")
    return Recommendation(*said, Status.DONE, f"{detail}{central}", Remedy.ROOT_TRAIL)


def _central(act: RootAct | None) -> str:
    if act is None:
        return ""
    moment = _moment(act.at)
    return " " + gettext("Taken on centrally by the organization %(moment)s: %(act)s.", moment=moment, act=act.name)


def _trail(newest: datetime | Missing | None) -> Recommendation:
    said = (
        "trail",
        gettext_noop("Make sure that you can read the trail"),
        gettext_noop("You can't explain events that you can't look up."),
    )
    if isinstance(newest, Missing):
        return _unknown(said, newest)
    if newest is None:
        return Recommendation(*said, Status.DONE, gettext("It has no event yet."), Remedy.TRAIL)
    detail = gettext("Its newest event is of %(moment)s.", moment=_moment(newest))
    return Recommendation(*said, Status.DONE, detail, Remedy.TRAIL)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _unknown(said: _Said, missing: Missing) -> Recommendation:
    return Recommendation(*said, Status.UNKNOWN, "", missing=missing)
