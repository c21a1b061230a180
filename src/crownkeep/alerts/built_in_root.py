"""The built-in rules about the root user: its sign-ins, its recovery and its credentials; and what all rules are made with."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep.alerts.filters import compile_filter
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule, Whom
from crownkeep.translation import gettext_noop

TAKE_BACK = "sign in as root, end all other sessions, choose a new password and look through root's MFA devices and access keys"
ASK_THE_ORGANIZATION = "ask whoever manages your organization who did it; the trail of its management account says so"
STOP = "tell whoever operates this server at once, and confirm nothing"

DONE = "$.errorCode NOT EXISTS && $.errorMessage NOT EXISTS"
ROOT = '$.userIdentity.type = "Root"'
CENTRAL = '$.userIdentity.sessionContext.assumedRoot = "true"'
# Root names itself by nothing, by a name of the console's, or by the account's id.
OWN = (
    '($.requestParameters.userName NOT EXISTS || $.requestParameters.userName = "root"'
    ' || $.requestParameters.userName = "AWS ROOT USER" || $.requestParameters.userName = %^\\d{12}$%)'
)
SECURITY = (ContactType.SECURITY,)


def sign_in() -> Iterable[Rule]:
    """Yield the rules about sign-ins and the password."""
    yield about_root(
        "root-signed-in", f"{{ $.eventName = ConsoleLogin && {ROOT} && {DONE} }}", gettext_noop("The root user signed in")
    )
    yield about_root(
        "root-sign-in-failed",
        f"{{ $.eventName = ConsoleLogin && {ROOT} && ($.errorCode EXISTS || $.errorMessage EXISTS) }}",
        gettext_noop("Somebody failed to sign in as the root user"),
        "look whether root's password and MFA devices are yours alone; failed attempts change nothing by themselves",
        AlertSeverity.HIGH,
    )
    yield about_root(
        "root-password-changed",
        f"{{ ($.eventName = ChangePassword || $.eventName = PasswordUpdated) && {ROOT} && {DONE} }}",
        gettext_noop("The root user's password was changed"),
    )


def recovery() -> Iterable[Rule]:
    """Yield the rules about recovery and the mailbox."""
    yield about_root(
        "root-password-recovery-requested",
        f"{{ $.eventName = PasswordRecoveryRequested && {DONE} }}",
        gettext_noop("A new password for the root user was asked for"),
        "do nothing: without the link that went to root's mailbox nothing changes; but find out who reads that mailbox",
        AlertSeverity.HIGH,
    )
    yield _step(
        "root-password-recovered",
        "PasswordRecoveryCompleted",
        gettext_noop("The root user's password was replaced by a mailed link"),
    )
    yield _step(
        "root-mfa-reported-lost", "MfaRecoveryRequested", gettext_noop("The root user's MFA devices were reported lost"), STOP
    )
    yield _step(
        "root-mfa-recovery-opened",
        "MfaRecoveryOpened",
        gettext_noop("The recovery of the root user's MFA devices waits to be confirmed"),
        STOP,
    )
    yield _step(
        "root-mfa-recovery-confirmed",
        "MfaRecoveryConfirmed",
        gettext_noop("The recovery of the root user's MFA devices was confirmed"),
        STOP,
    )
    yield _step(
        "root-mfa-recovered", "MfaRecoveryCompleted", gettext_noop("The root user's MFA devices were removed after recovery")
    )


def custody() -> Iterable[Rule]:
    """Yield the rules about who else may have root recovered, about recovery codes and the mailbox."""
    yield _step(
        "root-recovery-confirmed-by-operator",
        "ConfirmRootRecovery",
        gettext_noop("The operator confirmed the recovery of the root user's MFA devices"),
        STOP,
    )
    yield _step(
        "root-custodian-set",
        "SetRootCustodian",
        gettext_noop("The root user got another custodian, who may confirm recoveries"),
        STOP,
    )
    yield _step(
        "root-custodian-removed",
        "RemoveRootCustodian",
        gettext_noop("The root user's custodian, who could confirm recoveries, was removed"),
        STOP,
    )
    for name, event, subject in (
        ("root-recovery-code-used", "RecoveryCodeUsed", gettext_noop("A recovery code of the root user was used")),
        ("root-recovery-codes-created", "RecoveryCodesCreated", gettext_noop("New recovery codes of the root user were made")),
    ):
        yield about_root(name, f"{{ $.eventName = {event} && {ROOT} && {DONE} }}", subject)
    yield _step("root-email-changed", "EmailUpdated", gettext_noop("The root user's e-mail address was changed"))
    yield _step(
        "root-email-changed-by-organization",
        "AcceptPrimaryEmailUpdate",
        gettext_noop("The root user's e-mail address was changed by the organization"),
    )


def credentials() -> Iterable[Rule]:
    """Yield the rules about what root signs in and signs with."""
    yield _own("root-mfa-added", "EnableMFADevice", gettext_noop("The root user got a new MFA device"))
    yield _centrally(
        "root-mfa-removed-by-organization",
        "DeactivateMFADevice",
        gettext_noop("The organization removed an MFA device of the root user"),
    )
    yield _own("root-mfa-removed", "DeactivateMFADevice", gettext_noop("An MFA device of the root user was removed"))
    yield _own("root-access-key-created", "CreateAccessKey", gettext_noop("The root user got an access key"))
    yield _own("root-access-key-changed", "UpdateAccessKey", gettext_noop("An access key of the root user was changed"))
    yield _centrally(
        "root-access-key-deleted-by-organization",
        "DeleteAccessKey",
        gettext_noop("The organization deleted an access key of the root user"),
    )
    yield _own("root-access-key-deleted", "DeleteAccessKey", gettext_noop("An access key of the root user was deleted"))
    yield _centrally(
        "root-password-recovery-allowed",
        "CreateLoginProfile",
        gettext_noop("The organization lets the root user recover its password"),
        f"{ASK_THE_ORGANIZATION}; only who reads root's mailbox can choose a password, so find out who does",
    )
    yield _centrally(
        "root-password-removed", "DeleteLoginProfile", gettext_noop("The organization took the root user's password away")
    )
    yield _own("root-certificate-added", "UploadSigningCertificate", gettext_noop("The root user got a signing certificate"))
    yield _own(
        "root-certificate-changed", "UpdateSigningCertificate", gettext_noop("A signing certificate of the root user was changed")
    )
    yield _centrally(
        "root-certificate-deleted-by-organization",
        "DeleteSigningCertificate",
        gettext_noop("The organization deleted a signing certificate of the root user"),
    )
    yield _own(
        "root-certificate-deleted", "DeleteSigningCertificate", gettext_noop("A signing certificate of the root user was deleted")
    )


def named(*names: str) -> str:
    """Return the condition that an event has one of these names."""
    return "(" + " || ".join(f"$.eventName = {name}" for name in names) + ")"


def about_root(
    name: str, pattern: str, subject: str, advice: str = TAKE_BACK, severity: AlertSeverity = AlertSeverity.CRITICAL
) -> Rule:
    """Make a rule about the root user, which nobody of the account can switch off."""
    return make_rule(name, pattern, subject, advice, severity, SECURITY, root_hears=True, is_protected=True)


def _own(name: str, event: str, subject: str) -> Rule:
    """Make a rule of what root does to its own credentials."""
    return about_root(name, f"{{ {named(event)} && {ROOT} && {DONE} && {OWN} }}", subject)


def _step(name: str, event: str, subject: str, advice: str = TAKE_BACK) -> Rule:
    """Make a rule of a step of recovery, or of something that the operator may have done."""
    return about_root(name, f"{{ {named(event)} && {DONE} }}", subject, advice)


def _centrally(name: str, event: str, subject: str, advice: str = ASK_THE_ORGANIZATION) -> Rule:
    """Make a rule of what an organization does to a member's root user. AWS tells nobody; whose root it is hears of it here."""
    return about_root(name, f"{{ {named(event)} && {ROOT} && {CENTRAL} && {DONE} && {OWN} }}", subject, advice)


def make_rule(
    name: str,
    pattern: str,
    subject: str,
    advice: str,
    severity: AlertSeverity,
    contact_types: tuple[ContactType, ...],
    *,
    root_hears: bool = False,
    is_protected: bool = False,
    whom: Whom = Whom.ITS_OWN,
) -> Rule:
    """Make a built-in rule."""
    return Rule(
        name,
        severity,
        contact_types,
        subject,
        advice,
        pattern,
        compile_filter(pattern) if pattern else None,
        root_hears=root_hears,
        is_protected=is_protected,
        whom=whom,
    )
