"""The built-in rules about what no request brings about, and about what concerns the whole server."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep.alerts.built_in_root import DONE, SECURITY, make_rule, named
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule, Whom
from crownkeep.translation import gettext_noop

SOURCE = "alerts.crownkeep"
"""The event source of alerts' own operations and events."""

ACCOUNT_AUDITED = "AccountAudited"
"""The event of a scheduled audit."""

_OURS = f"$.eventSource = {SOURCE}"


def due() -> Iterable[Rule]:
    """Yield the rules about what gets too old, ends, or is due."""
    yield make_rule(
        "credential-over-age",
        f"{{ {named('CredentialOverAge')} && {_OURS} }}",
        gettext_noop("An access key or password is older than 90 days"),
        "replace it, or remove it where nobody needs it any more",
        AlertSeverity.HIGH,
        SECURITY,
    )
    yield make_rule(
        "password-of-root-over-age",
        f"{{ {named('RootPasswordOverAge')} && {_OURS} }}",
        gettext_noop("The root user's password is older than a year"),
        "sign in as root and choose a new one, and see on the way that its MFA devices work",
        AlertSeverity.HIGH,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )
    yield make_rule(
        "certificate-expires",
        f"{{ {named('CertificateExpires')} && {_OURS} }}",
        gettext_noop("A certificate is about to expire"),
        "replace it in time",
        AlertSeverity.HIGH,
        (ContactType.OPERATIONS, ContactType.SECURITY),
    )
    yield make_rule(
        "credential-audit-due",
        f"{{ {named('CredentialAuditDue')} && {_OURS} }}",
        gettext_noop("The quarterly audit of credentials is due"),
        "begin one with `crownkeep credential-audit`, or on the console's page",
        AlertSeverity.LOW,
        SECURITY,
    )


def audits() -> Iterable[Rule]:
    """Yield the rules about scheduled audits of the account; of two that fire for one audit, the graver is told."""
    yield make_rule(
        "account-audit-worse",
        f"{{ {named(ACCOUNT_AUDITED)} && {_OURS} && $.serviceEventDetails.isWorse IS TRUE }}",
        gettext_noop("The account's scheduled audit came out worse than the one before"),
        "see with `crownkeep audit` what fails, and with `crownkeep lockdown plan` how it is set right",
        AlertSeverity.HIGH,
        SECURITY,
    )
    yield make_rule(
        "account-audited",
        f"{{ {named(ACCOUNT_AUDITED)} && {_OURS} }}",
        gettext_noop("The account was audited by its schedule"),
        "see how it has come out over time with `crownkeep audit history`, or on the console's first page",
        AlertSeverity.LOW,
        SECURITY,
    )


def tokens() -> Iterable[Rule]:
    """Yield the rule about physical keys that are out of their vaults for too long."""
    yield make_rule(
        "hardware-token-not-returned",
        f"{{ {named('HardwareTokenNotReturned')} && {_OURS} }}",
        gettext_noop("A physical security key is not back in its vault in time"),
        "ask whoever has it, who is named in the register (`crownkeep token list`); if it is lost, remove that MFA device",
        AlertSeverity.CRITICAL,
        SECURITY,
        root_hears=True,
        is_protected=True,
    )


def delivery() -> Iterable[Rule]:
    """Yield the rule about a trail that can't deliver."""
    yield make_rule(
        "trail-delivery-failed",
        f"{{ {named('TrailDeliveryFailed')} && $.eventSource = cloudtrail.amazonaws.com }}",
        gettext_noop("A trail of the account can no longer deliver to its bucket"),
        "see with `aws cloudtrail get-trail-status` why, and set the bucket right; everything is delivered once it is",
        AlertSeverity.CRITICAL,
        (ContactType.OPERATIONS, ContactType.SECURITY),
        root_hears=True,
        is_protected=True,
    )


def whole_server() -> Iterable[Rule]:
    """Yield the rules about what concerns all accounts."""
    for name, pattern, subject, advice in (
        (
            "sealing-or-trail-keys-changed",
            f"{{ {named('BeginKeyRotation', 'ResealSecrets', 'JoinSealingKey', 'RotateTrailKeys')} && {DONE} }}",
            gettext_noop("The server's sealing keys or trail keys were changed"),
            "find out which operator did it, and why",
        ),
        (
            "custodian-added",
            f"{{ {named('AddCustodian')} && {DONE} }}",
            gettext_noop("A custodian of the installation was added, who may approve sealed acts"),
            "find out which operator did it, and who that person is; `crownkeep custodian list` shows them all",
        ),
        (
            "custodian-removed",
            f"{{ {named('RemoveCustodian')} && {DONE} }}",
            gettext_noop("A custodian of the installation was removed, with their keys"),
            "see with `crownkeep custodian list` that every team still has as many people as its approvals take",
        ),
        (
            "custodian-keys-reset",
            f"{{ {named('ResetCustodianKeys')} && {DONE} }}",
            gettext_noop("All keys were taken from an approver, who enrols a new one by a mailed link"),
            "call the person, and ask whether the new key is theirs",
        ),
        (
            "hardware-token-of-the-server-not-returned",
            f"{{ {named('HardwareTokenNotReturned')} && {_OURS} }}",
            gettext_noop("A physical security key is not back in its vault in time"),
            "ask whoever has it, who is named in the register (`crownkeep token list`)",
        ),
    ):
        yield make_rule(name, pattern, subject, advice, AlertSeverity.HIGH, (), is_protected=True, whom=Whom.OPERATOR)
    yield from _log()


def _log() -> Iterable[Rule]:
    for name, event_name, subject, advice, severity in (
        (
            "witness-silent",
            "TrailWitnessSilent",
            gettext_noop("A witness of the server's trail has been silent for an hour"),
            "see in the server's log why it does not answer; until it does, nobody else vouches for new records",
            AlertSeverity.HIGH,
        ),
        (
            "trail-altered",
            "TrailTreeAltered",
            gettext_noop("The server's trail was altered in the database, and is no longer signed"),
            "run `crownkeep trail verify` with a checkpoint that you kept, and find out who can write to the database",
            AlertSeverity.CRITICAL,
        ),
    ):
        pattern = f"{{ {named(event_name)} && $.eventSource = trail.crownkeep }}"
        yield make_rule(name, pattern, subject, advice, severity, (), is_protected=True, whom=Whom.OPERATOR)
