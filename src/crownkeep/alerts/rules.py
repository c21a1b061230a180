"""Rules: which events somebody must hear of, by mail to root and to the account's security contact.

An event is looked up by its name, and by whether root was the caller; only where a rule may apply is its record read. So what
nobody needs to hear of costs one look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

import msgspec

from crownkeep.storage.trail.events import EventRow

Record = Mapping[str, Any]

DONE_TO_MEMBERS = frozenset({"AcceptPrimaryEmailUpdate", "CloseAccount", "DeleteAlternateContact", "PutAlternateContact"})
"""Events of whoever acts for an organization that may be about a member, which their parameters name."""

SPAN = timedelta(hours=1)
"""Within which events of one name are counted."""

MOST = 10
"""How many notices go out about events of one name and account within SPAN; the last one says that more are held back."""

FAILURES_BEFORE_NOTICE = 5
"""From which failed sign-in of root within SPAN on somebody hears of it."""


class Who(Enum):
    """Whose events a rule is about."""

    ROOT = "root"
    """Root's, by the record; also where somebody only claimed to be root."""
    ANYBODY = "anybody"


class Whom(Enum):
    """Which account hears of it."""

    ITS_OWN = "its own"
    """The one that it was done in, or to."""
    MANAGEMENT = "management"
    """The one that manages the organization, whoever of the organization did it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said about an event, and when."""

    says: str
    """One sentence without a full stop: the notice's subject."""
    advice: str
    """What to do if it was not you."""
    applies: Callable[[Record], bool]
    who: Who = Who.ROOT
    whom: Whom = Whom.ITS_OWN
    first: int = 1
    """The how-manieth event within SPAN is the first that is told."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that somebody must hear of."""

    rule: Rule
    record: Record
    name: str
    account_id: str
    """Whose it is about: of what an organization does to a member, the member's."""


def heard(event: EventRow) -> Heard | None:
    """Return what must be told about an event; None for nearly all of them."""
    rules = RULES.get(event.name)
    if rules is None or not event.account_id:
        return None
    may_be_roots = event.username in ("root", "")
    if not any(rule.who is Who.ANYBODY or may_be_roots for rule in rules):
        return None
    record: Record = msgspec.json.decode(event.record)
    is_roots = record["userIdentity"].get("type") == "Root"
    for rule in rules:
        if (rule.who is Who.ANYBODY or is_roots) and rule.applies(record):
            return Heard(rule, record, event.name, _subject(event, record))
    return None


def _subject(event: EventRow, record: Record) -> str:
    """Return the account that it was done to, which may be a member of the caller's organization."""
    named = (record.get("requestParameters") or {}).get("accountId")
    return str(named) if named and event.name in DONE_TO_MEMBERS else event.account_id


def detail(record: Record) -> str:
    """Return what the event was done to, where that is a credential: the id of a key or the serial number of a device."""
    answered = record.get("responseElements") or {}
    asked = record.get("requestParameters") or {}
    for name, inner in (("accessKey", "accessKeyId"), ("certificate", "certificateId")):
        made = answered.get(name)
        if isinstance(made, Mapping) and made.get(inner):
            return str(made[inner])
    for name in ("accessKeyId", "serialNumber", "certificateId", "alternateContactType"):
        if asked.get(name):
            return str(asked[name])
    return ""


def _succeeded(record: Record) -> bool:
    if record.get("errorCode") or record.get("errorMessage"):
        return False
    return "Failure" not in (record.get("responseElements") or {}).values()


def _failed(record: Record) -> bool:
    return not _succeeded(record)


def _changed_own(record: Record) -> bool:
    """Tell whether root changed a credential of its own, which it names by nothing, by `root` or by the account id."""
    asked = record.get("requestParameters") or {}
    owner = asked.get("userName", "root")
    return _succeeded(record) and owner in ("root", "AWS ROOT USER", record["userIdentity"].get("accountId"))


def _changed_centrally(record: Record) -> bool:
    """Tell whether an organization did this to a member's root user, in a session of AssumeRoot."""
    context = record["userIdentity"].get("sessionContext") or {}
    return context.get("assumedRoot") == "true" and _changed_own(record)


def _concerns_iam(record: Record) -> bool:
    """Tell whether something of an organization was changed for IAM, which the power over members' root users hangs on."""
    return _succeeded(record) and (record.get("requestParameters") or {}).get("servicePrincipal") == "iam.amazonaws.com"


_TAKE_BACK = "sign in as root, end all other sessions, choose a new password and look through root's MFA devices and access keys"
_ASK_THE_ORGANIZATION = "ask whoever manages your organization who did it; the trail of its management account says so"
_LOOK_INTO_THE_ORGANIZATION = "set it back, and look through the management account's administrators and what they did"
_STOP = "tell whoever operates this server at once, and confirm nothing"

_SIGN_IN = Rule("The root user signed in", _TAKE_BACK, _succeeded)
_FAILED_SIGN_IN = Rule(
    "Somebody failed to sign in as the root user several times",
    "look whether root's password and MFA devices are yours alone; failed attempts change nothing by themselves",
    _failed,
    first=FAILURES_BEFORE_NOTICE,
)


def _own(says: str) -> Rule:
    return Rule(says, _TAKE_BACK, _changed_own)


def _step(says: str, advice: str = _TAKE_BACK) -> Rule:
    """Make a rule of a step of recovery, which an operator may have taken."""
    return Rule(says, advice, _succeeded, who=Who.ANYBODY)


def _centrally(says: str, advice: str = _ASK_THE_ORGANIZATION) -> Rule:
    """Make a rule of what an organization does to a member's root user. AWS tells nobody; whose root it is hears of it here."""
    return Rule(says, advice, _changed_centrally)


def _of_organization(says: str, applies: Callable[[Record], bool] = _succeeded) -> Rule:
    """Make a rule of who has power over the root users of an organization's members."""
    return Rule(says, _LOOK_INTO_THE_ORGANIZATION, applies, who=Who.ANYBODY, whom=Whom.MANAGEMENT)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ConsoleLogin": (_SIGN_IN, _FAILED_SIGN_IN),
    "ChangePassword": (Rule("The root user's password was changed", _TAKE_BACK, _succeeded),),
    "PasswordUpdated": (Rule("The root user's password was changed", _TAKE_BACK, _succeeded),),
    "PasswordRecoveryRequested": (
        _step(
            "A new password for the root user was asked for",
            "do nothing: without the link that went to root's mailbox nothing changes; but find out who reads that mailbox",
        ),
    ),
    "PasswordRecoveryCompleted": (_step("The root user's password was replaced by a mailed link"),),
    "MfaRecoveryRequested": (_step("The root user's MFA devices were reported lost", _STOP),),
    "MfaRecoveryOpened": (_step("The recovery of the root user's MFA devices waits to be confirmed", _STOP),),
    "MfaRecoveryConfirmed": (_step("The recovery of the root user's MFA devices was confirmed", _STOP),),
    "MfaRecoveryCompleted": (_step("The root user's MFA devices were removed after recovery"),),
    "ConfirmRootRecovery": (_step("The operator confirmed the recovery of the root user's MFA devices", _STOP),),
    "SetRootCustodian": (_step("The root user got another custodian, who may confirm recoveries", _STOP),),
    "RemoveRootCustodian": (_step("The root user's custodian, who could confirm recoveries, was removed", _STOP),),
    "RecoveryCodeUsed": (Rule("A recovery code of the root user was used", _TAKE_BACK, _succeeded),),
    "RecoveryCodesCreated": (Rule("New recovery codes of the root user were made", _TAKE_BACK, _succeeded),),
    "EmailUpdated": (_step("The root user's e-mail address was changed"),),
    "AcceptPrimaryEmailUpdate": (_step("The root user's e-mail address was changed by the organization"),),
    "EnableMFADevice": (_own("The root user got a new MFA device"),),
    "DeactivateMFADevice": (
        _centrally("The organization removed an MFA device of the root user"),
        _own("An MFA device of the root user was removed"),
    ),
    "CreateAccessKey": (_own("The root user got an access key"),),
    "UpdateAccessKey": (_own("An access key of the root user was changed"),),
    "DeleteAccessKey": (
        _centrally("The organization deleted an access key of the root user"),
        _own("An access key of the root user was deleted"),
    ),
    "CreateLoginProfile": (
        _centrally(
            "The organization lets the root user recover its password",
            f"{_ASK_THE_ORGANIZATION}; only who reads root's mailbox can choose a password, so find out who does",
        ),
    ),
    "DeleteLoginProfile": (_centrally("The organization took the root user's password away"),),
    "UploadSigningCertificate": (_own("The root user got a signing certificate"),),
    "UpdateSigningCertificate": (_own("A signing certificate of the root user was changed"),),
    "DeleteSigningCertificate": (
        _centrally("The organization deleted a signing certificate of the root user"),
        _own("A signing certificate of the root user was deleted"),
    ),
    "EnableOrganizationsRootCredentialsManagement": (_of_organization("Members' root credentials can now be managed centrally"),),
    "DisableOrganizationsRootCredentialsManagement": (
        _of_organization("Members' root credentials can no longer be managed centrally"),
    ),
    "EnableOrganizationsRootSessions": (_of_organization("Members' root users can now be taken on for tasks"),),
    "DisableOrganizationsRootSessions": (_of_organization("Members' root users can no longer be taken on for tasks"),),
    "EnableAWSServiceAccess": (_of_organization("IAM got trusted access in the organization", _concerns_iam),),
    "DisableAWSServiceAccess": (_of_organization("IAM lost trusted access in the organization", _concerns_iam),),
    "RegisterDelegatedAdministrator": (_of_organization("A member may now administer IAM for the organization", _concerns_iam),),
    "DeregisterDelegatedAdministrator": (
        _of_organization("A member may no longer administer IAM for the organization", _concerns_iam),
    ),
    "PutAlternateContact": (_step("An alternate contact of the account was set"),),
    "DeleteAlternateContact": (_step("An alternate contact of the account was deleted"),),
    "CloseAccount": (
        _step(
            "The account was closed",
            "ask whoever operates this server to reopen it with `crownkeep account reopen`, which works for 90 days",
        ),
    ),
}
"""Who hears is the same for all: the account's root, at its own address, and its security contact (`contacts.of_account`)."""
