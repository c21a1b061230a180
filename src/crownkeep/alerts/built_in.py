"""The rules that every account has, in the order in which the first that fires gives an alert its subject.

Those about root, contacts, alerts and the trail are protected: no principal of the account can switch them off or silence them,
its root user included. docs/alerts.md lists them all, and a test holds it to this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crownkeep.alerts import built_in_approvals, built_in_reviews, built_in_root
from crownkeep.alerts.built_in_reviews import SOURCE
from crownkeep.alerts.built_in_root import (
    ASK_THE_ORGANIZATION,
    CENTRAL,
    DONE,
    ROOT,
    SECURITY,
    TAKE_BACK,
    about_root,
    make_rule,
    named,
)
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule, Whom
from crownkeep.translation import gettext_noop

UNREACHABLE = "AlertReceiverUnreachable"
DISABLED = "AlertReceiverDisabled"

CHANGES = (
    "CreateAlertReceiver",
    "DeleteAlertReceiver",
    "EnableAlertReceiver",
    "RotateAlertReceiverSecret",
    "PutAlertRule",
    "DeleteAlertRule",
    "SilenceAlertRule",
    "EndAlertSilence",
    "SwitchOnAlertRule",
)
"""The operations, of accounts and of the operator, that change who hears of what."""

ADMINISTRATOR = "administrator-added"
ADMINISTRATOR_BY_POLICY = "administrator-added-by-policy"
KEY_FROM_NEW_NETWORK = "access-key-used-from-new-network"
MANY_FAILURES = "many-refusals"

_LOOK_INTO_THE_ORGANIZATION = "set it back, and look through the management account's administrators and what they did"
_FIND_OUT = "find the record in the trail, ask whoever did it, and set it back"

_JOINED = ("AcceptHandshake", "AccountJoinedOrganization")
_LEFT = ("LeaveOrganization", "RemoveAccountFromOrganization", "AccountDepartedOrganization")
"""What members and their organization do, and what the management account's trail has of it, whoever did it."""

_PERMISSIONS_ASKED = ("CreateDelegationRequest", "AssociateDelegationRequest", "SendDelegationToken")
"""A request for a named account concerns that account; one for whoever takes it up concerns the account that does."""

_FOR_IAM = "$.requestParameters.servicePrincipal = iam.amazonaws.com"
_ALL_CONTACTS = tuple(ContactType)


def _of_organization(name: str, event: str, subject: str, also: str = "") -> Rule:
    """Make a rule of who has power over the root users of an organization's members."""
    pattern = f"{{ {named(event)} && {DONE}{f' && {also}' if also else ''} }}"
    return make_rule(
        name,
        pattern,
        subject,
        _LOOK_INTO_THE_ORGANIZATION,
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
        whom=Whom.MANAGEMENT,
    )


def _central_powers() -> Iterable[Rule]:
    for name, event, subject in (
        (
            "central-root-credentials-enabled",
            "EnableOrganizationsRootCredentialsManagement",
            gettext_noop("Members' root credentials can now be managed centrally"),
        ),
        (
            "central-root-credentials-disabled",
            "DisableOrganizationsRootCredentialsManagement",
            gettext_noop("Members' root credentials can no longer be managed centrally"),
        ),
        (
            "central-root-sessions-enabled",
            "EnableOrganizationsRootSessions",
            gettext_noop("Members' root users can now be taken on for tasks"),
        ),
        (
            "central-root-sessions-disabled",
            "DisableOrganizationsRootSessions",
            gettext_noop("Members' root users can no longer be taken on for tasks"),
        ),
    ):
        yield _of_organization(name, event, subject)
    for name, event, subject in (
        ("iam-trusted", "EnableAWSServiceAccess", gettext_noop("IAM got trusted access in the organization")),
        ("iam-no-longer-trusted", "DisableAWSServiceAccess", gettext_noop("IAM lost trusted access in the organization")),
        (
            "iam-delegated-administrator-added",
            "RegisterDelegatedAdministrator",
            gettext_noop("A member may now administer IAM for the organization"),
        ),
        (
            "iam-delegated-administrator-removed",
            "DeregisterDelegatedAdministrator",
            gettext_noop("A member may no longer administer IAM for the organization"),
        ),
    ):
        yield _of_organization(name, event, subject, _FOR_IAM)


def _organization() -> Iterable[Rule]:
    yield about_root(
        "root-taken-on",
        f"{{ $.eventName = AssumeRoot && {DONE} }}",
        gettext_noop("The organization took on the root user for a task"),
        ASK_THE_ORGANIZATION,
    )
    yield make_rule(
        "organization-policy-removed",
        "{ $.eventSource = organizations.amazonaws.com && "
        + named("DetachPolicy", "DeletePolicy", "DisablePolicyType")
        + f" && {DONE} }}",
        gettext_noop("A policy of the organization no longer binds"),
        _LOOK_INTO_THE_ORGANIZATION,
        AlertSeverity.CRITICAL,
        SECURITY,
    )


def _account() -> Iterable[Rule]:
    contacts = "$.eventSource = account.amazonaws.com"
    for name, event, subject in (
        ("alternate-contact-set", "PutAlternateContact", gettext_noop("An alternate contact of the account was set")),
        ("alternate-contact-deleted", "DeleteAlternateContact", gettext_noop("An alternate contact of the account was deleted")),
        ("primary-contact-changed", "PutContactInformation", gettext_noop("The primary contact of the account was changed")),
    ):
        yield make_rule(
            name,
            f"{{ {named(event)} && {DONE}{f' && {contacts}' if event == 'PutContactInformation' else ''} }}",
            subject,
            TAKE_BACK,
            AlertSeverity.CRITICAL,
            (ContactType.SECURITY, ContactType.BILLING),
            root_hears=True,
            is_protected=True,
        )
    yield make_rule(
        "account-closed",
        f"{{ $.eventName = CloseAccount && {DONE} }}",
        gettext_noop("The account was closed"),
        "ask whoever operates this server to reopen it with `crownkeep account reopen`, which works for 90 days",
        AlertSeverity.CRITICAL,
        _ALL_CONTACTS,
        root_hears=True,
        is_protected=True,
    )
    for name, events, subject, severity in (
        ("organization-joined", _JOINED, gettext_noop("An account joined the organization"), AlertSeverity.HIGH),
        # Whoever leaves is bound by no policy any more: that must not wait for a summary.
        ("organization-left", _LEFT, gettext_noop("An account left the organization"), AlertSeverity.CRITICAL),
    ):
        yield make_rule(
            name,
            f"{{ $.eventSource = organizations.amazonaws.com && {named(*events)} && {DONE} }}",
            subject,
            _FIND_OUT,
            severity,
            (ContactType.SECURITY, ContactType.BILLING),
        )


def _guards() -> Iterable[Rule]:
    """Yield the rule about the guard of the last way in; what the operator does to it is told as all that the operator does."""
    yield make_rule(
        "last-way-in-guard-switched-off",
        f"{{ $.eventName = UpdateLastWayInGuard && $.requestParameters.enabled IS FALSE && {DONE} }}",
        gettext_noop("Acts after which nobody could administer the account are no longer refused"),
        _FIND_OUT,
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )


def _own_settings() -> Iterable[Rule]:
    yield make_rule(
        "alert-switched-off-by-operator",
        "{ $.eventName = SwitchOffAlertRule && " + DONE + " }",
        gettext_noop("The operator switched an alert off"),
        "ask whoever operates this server why; until it is on again, watch the trail yourself",
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )
    yield make_rule(
        "alerts-changed",
        f"{{ {named(*CHANGES)} && {DONE} }}",
        gettext_noop("The recipients of the account's alerts were changed"),
        _FIND_OUT,
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )
    yield make_rule(
        "receiver-unreachable",
        "{ " + named(UNREACHABLE, DISABLED) + f" && $.eventSource = {SOURCE} }}",
        gettext_noop("An alert can't be delivered to one of its receivers"),
        "set the receiver right or remove it; `crownkeep alerts history` shows what waits, `crownkeep alerts replay` sends it",
        AlertSeverity.HIGH,
        (ContactType.OPERATIONS, ContactType.SECURITY),
        root_hears=True,
        is_protected=True,
    )


def _trail() -> Iterable[Rule]:
    trail = "$.eventSource = cloudtrail.amazonaws.com"
    yield make_rule(
        "trail-stopped",
        f"{{ {trail} && {named('StopLogging', 'DeleteTrail')} && {DONE} }}",
        gettext_noop("A trail of the account was stopped or deleted"),
        "start it again; what happened meanwhile is in the event history",
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )
    changes = named("CreateTrail", "UpdateTrail", "StartLogging", "PutEventSelectors", "PutInsightSelectors")
    yield make_rule(
        "trail-changed",
        f"{{ {trail} && {changes} && {DONE} }}",
        gettext_noop("A trail of the account was changed"),
        _FIND_OUT,
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )


def _identities() -> Iterable[Rule]:
    yield make_rule(
        "mfa-removed",
        f"{{ {named('DeactivateMFADevice')} && {DONE} }}",
        gettext_noop("Somebody's MFA device was removed"),
        _FIND_OUT,
        AlertSeverity.HIGH,
        SECURITY,
    )
    asked = "$.requestParameters"
    yield make_rule(
        "password-policy-weak",
        "{ $.eventSource = iam.amazonaws.com && "
        + DONE
        + " && ($.eventName = DeleteAccountPasswordPolicy || ($.eventName = UpdateAccountPasswordPolicy && "
        + f"({asked}.minimumPasswordLength NOT EXISTS || {asked}.minimumPasswordLength < 14"
        + f" || {asked}.passwordReusePrevention NOT EXISTS || {asked}.passwordReusePrevention < 24))) }}",
        gettext_noop("The password policy is weaker than the CIS benchmark asks for"),
        "set 14 characters at least and no reuse of the last 24 passwords",
        AlertSeverity.HIGH,
        SECURITY,
    )


def _permissions() -> Iterable[Rule]:
    asked = "$.requestParameters"
    yield make_rule(
        ADMINISTRATOR,
        "{ $.eventSource = iam.amazonaws.com && "
        + named("AttachUserPolicy", "AttachGroupPolicy", "AttachRolePolicy")
        + f' && ({asked}.policyArn = "*:policy/AdministratorAccess" || {asked}.policyArn = "*:policy/IAMFullAccess")'
        + f" && {DONE} }}",
        gettext_noop("Somebody was made an administrator"),
        _FIND_OUT,
        AlertSeverity.HIGH,
        SECURITY,
    )
    yield make_rule(
        ADMINISTRATOR_BY_POLICY,
        "",
        gettext_noop("A policy that allows everything was written"),
        _FIND_OUT,
        AlertSeverity.HIGH,
        SECURITY,
    )
    yield make_rule(
        "permissions-requested",
        f"{{ {named(*_PERMISSIONS_ASKED)} && {DONE}"
        f" && ($.eventName != CreateDelegationRequest || {asked}.ownerAccountId EXISTS) }}",
        gettext_noop("Somebody asks for permissions in the account, or has been given them"),
        _FIND_OUT,
        AlertSeverity.HIGH,
        SECURITY,
    )


def _by_the_operator() -> Iterable[Rule]:
    yield make_rule(
        "backup-failed",
        "{ $.eventSource = crownkeep && $.eventName = FailBackup }",
        gettext_noop("A backup of this server came to nothing"),
        "ask whoever operates this server to make one; the record says what went wrong",
        AlertSeverity.HIGH,
        SECURITY,
        root_hears=True,
    )


def _by_anybody() -> Iterable[Rule]:
    yield about_root(
        "root-used-centrally",
        f"{{ {ROOT} && {CENTRAL} }}",
        gettext_noop("The organization acts as the root user"),
        ASK_THE_ORGANIZATION,
    )
    yield about_root(
        "root-access-key-used",
        f'{{ {ROOT} && $.eventType = "AwsApiCall" && $.sessionCredentialFromConsole NOT EXISTS }}',
        gettext_noop("The root user's access key was used"),
        "deactivate root's access keys at once, and do this work with a role",
    )
    yield make_rule(
        "operator-acted",
        '{ $.userIdentity.invokedBy = "crownkeep operator" && $.readOnly IS FALSE && $.eventName != CreateAccount }',
        gettext_noop("The operator of this server changed something in the account"),
        "ask them why",
        AlertSeverity.HIGH,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )
    yield make_rule(
        KEY_FROM_NEW_NETWORK,
        "",
        gettext_noop("An access key was used from a network that it was never used from"),
        "deactivate the key, and find out where it lies open",
        AlertSeverity.HIGH,
        SECURITY,
    )
    yield make_rule(
        MANY_FAILURES,
        "",
        gettext_noop("Many requests of one caller were refused within five minutes"),
        "find out whether somebody tries out what a credential is good for",
        AlertSeverity.HIGH,
        SECURITY,
    )


_ABOUT_ROOT = (built_in_root.sign_in, built_in_root.recovery, built_in_root.custody, built_in_root.credentials)

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for group in (
        *_ABOUT_ROOT,
        _central_powers,
        _organization,
        _account,
        _own_settings,
        _guards,
        _trail,
        built_in_approvals.ceremony,
        built_in_approvals.seals,
        built_in_reviews.delivery,
        _identities,
        _permissions,
        _by_the_operator,
        _by_anybody,
        built_in_reviews.due,
        built_in_reviews.audits,
        built_in_reviews.tokens,
        built_in_reviews.whole_server,
    )
    for rule in group()
}
"""All of them by name."""
