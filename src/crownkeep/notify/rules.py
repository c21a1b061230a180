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

from crownkeep.storage.events import EventRow

Record = Mapping[str, Any]

DONE_TO_MEMBERS = frozenset({"AcceptPrimaryEmailUpdate", "CloseAccount", "DeleteAlternateContact", "PutAlternateContact"})
"""Events of whoever acts for an organization that may be about a member, which their parameters name."""

SPAN = timedelta(hours=1)
"""Within which events of one name are counted."""

MOST = 10
"""How many letters go out about events of one name and account within SPAN; the last one says that more are held back."""

FAILURES_TOLD = 5
"""From which failed sign-in of root within SPAN on somebody hears of it."""


class Who(Enum):
    """Whose events a rule is about."""

    ROOT = "root"
    """Root's, by the record; also where somebody only claimed to be root."""
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said about an event, and when."""

    says: str
    """One sentence without a full stop: the letter's subject."""
    advice: str
    """What to do if it was not you."""
    applies: Callable[[Record], bool]
    who: Who = Who.ROOT
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
    """Answer what must be told about an event; None for nearly all of them."""
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
    """Answer the account that it was done to, which may be a member of the caller's organization."""
    named = (record.get("requestParameters") or {}).get("accountId")
    return str(named) if named and event.name in DONE_TO_MEMBERS else event.account_id


def detail(record: Record) -> str:
    """Answer what the event was done to, where that is a credential: the id of a key or the serial number of a device."""
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


_TAKE_BACK = "sign in as root, end all other sessions, choose a new password and look through root's MFA devices and access keys"
_STOP = "tell whoever operates this server at once, and confirm nothing"

_SIGN_IN = Rule("The root user signed in", _TAKE_BACK, _succeeded)
_FAILED_SIGN_IN = Rule(
    "Somebody failed to sign in as the root user several times",
    "look whether root's password and MFA devices are yours alone; failed attempts change nothing by themselves",
    _failed,
    first=FAILURES_TOLD,
)


def _own(says: str) -> Rule:
    return Rule(says, _TAKE_BACK, _changed_own)


def _step(says: str, advice: str = _TAKE_BACK) -> Rule:
    """Make a rule of a step of recovery, which an operator may have taken."""
    return Rule(says, advice, _succeeded, who=Who.ANYBODY)


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
    "DeactivateMFADevice": (_own("An MFA device of the root user was removed"),),
    "CreateAccessKey": (_own("The root user got an access key"),),
    "UpdateAccessKey": (_own("An access key of the root user was changed"),),
    "DeleteAccessKey": (_own("An access key of the root user was deleted"),),
    "CreateLoginProfile": (_own("The root user may recover its password again"),),
    "DeleteLoginProfile": (_own("The root user's password was deleted"),),
    "UploadSigningCertificate": (_own("The root user got a signing certificate"),),
    "UpdateSigningCertificate": (_own("A signing certificate of the root user was changed"),),
    "DeleteSigningCertificate": (_own("A signing certificate of the root user was deleted"),),
    "PutAlternateContact": (_step("An alternate contact of the account was set"),),
    "DeleteAlternateContact": (_step("An alternate contact of the account was deleted"),),
    "CloseAccount": (
        _step(
            "The account was closed",
            "ask whoever operates this server to reopen it with `crownkeep account reopen`, which works for 90 days",
        ),
    ),
}
"""Who hears is the same for all: root's own address and the security contact (`contacts.of_account`)."""
