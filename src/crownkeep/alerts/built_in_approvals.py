"""The built-in rules about sealed accounts: what custodians are asked and decide, and how a seal is put on and lifted."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep.alerts.built_in_root import DONE, SECURITY, make_rule, named
from crownkeep.alerts.rule import AlertSeverity, Rule
from crownkeep.translation import gettext_noop

_ASK = "ask the custodians and whoever asked; `crownkeep approvals list` shows every request with its votes"
_OURS = "$.eventSource = approvals.crownkeep"
_KEYS = "ask the person, by a way that you know is theirs; `crownkeep custodian reset-keys` takes all keys from them"
_SEALS = "find out at once who operates the server, and why: a seal is lifted by its team, or openly after a delay"


def ceremony() -> Iterable[Rule]:
    """Yield the rules about requests and votes."""
    yield _rule(
        "approval-asked",
        f"{named('RequestApproval')}",
        gettext_noop("Custodians were asked to approve an act"),
        AlertSeverity.HIGH,
    )
    for name, events, status, subject in (
        ("approval-given", "Approve", "APPROVED", gettext_noop("Custodians have approved an act")),
        ("approval-refused", "Refuse", "FAILED", gettext_noop("Custodians have refused an act")),
    ):
        decided = f'{named(events, "RelayVote")} && $.additionalEventData.approvalStatus = "{status}"'
        yield _rule(name, decided, subject, AlertSeverity.HIGH)
    yield _rule(
        "approval-vetoed", f"{_OURS} && {named('Refuse')}", gettext_noop("A custodian has refused an act"), AlertSeverity.HIGH
    )
    cancelled = named("CancelRequest", "CancelApprovalRequest")
    yield _rule("approval-cancelled", cancelled, gettext_noop("A request for approval was cancelled"), AlertSeverity.HIGH)
    yield _rule(
        "approval-used", named("ApprovalUsed"), gettext_noop("An act that custodians approved was done"), AlertSeverity.CRITICAL
    )
    changed = f"{named('ApproverKeysChanged')} && {_OURS}"
    yield _rule(
        "approver-keys-changed", changed, gettext_noop("The security keys of an approver have changed"), AlertSeverity.HIGH, _KEYS
    )
    yield _rule(
        "sealed-root-reviewed", named("SignOffReview"), gettext_noop("The use of a sealed root was reviewed"), AlertSeverity.HIGH
    )


def seals() -> Iterable[Rule]:
    """Yield the rules about seals."""
    for name, event, subject in (
        ("account-sealed", "SealAccount", gettext_noop("The account was sealed, or its seal was changed")),
        ("account-unsealed", "UnsealAccount", gettext_noop("The account's seal was lifted by its team")),
        (
            "unseal-without-team-begun",
            "BeginUnsealWithoutTeam",
            gettext_noop("The operator has begun to lift the account's seal without its team"),
        ),
        (
            "unseal-without-team-cancelled",
            "CancelUnsealWithoutTeam",
            gettext_noop("The operator no longer lifts the account's seal"),
        ),
        (
            "unsealed-without-team",
            "FinishUnsealWithoutTeam",
            gettext_noop("The operator has lifted the account's seal without its team"),
        ),
    ):
        yield _rule(name, named(event), subject, AlertSeverity.CRITICAL, _SEALS)


def _rule(name: str, pattern: str, subject: str, severity: AlertSeverity, advice: str = _ASK) -> Rule:
    whole = f"{{ {pattern} && {DONE} }}"
    return make_rule(name, whole, subject, advice, severity, SECURITY, root_hears=True, is_protected=True)
