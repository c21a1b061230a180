"""What can be sealed: which operations are which act, and on whose account each of them acts.

docs/sealed-root.md has the table, and a test holds it to this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from crownkeep import arn, ids
from crownkeep.principals import Caller, Principal, PrincipalKind


class SealedAct(Enum):
    """The acts that a seal can name."""

    ROOT_SIGN_IN = "root-sign-in"
    ROOT_SESSIONS = "root-sessions"
    ROOT_RECOVERY = "root-recovery"
    ROOT_MFA = "root-mfa"
    ROOT_EMAIL = "root-email"
    CLOSE_ACCOUNT = "close-account"
    GUARDRAILS = "guardrails"
    ATTACHING = "attach-policies"
    """Attaching policies of an organization: apart from changing those that are attached, which is done less often."""
    TRAIL = "trail"
    ALERTS = "alerts"
    OPERATOR = "operator"
    UNSEAL = "unseal"
    """Lifting or changing the seal, and taking its custodians' keys; sealed wherever there is one."""


SIGN_IN = "signin:ConsoleLogin"
"""How a request names the sign-in as root, which is no operation."""
PASSWORD_RECOVERY = "signin:PasswordRecovery"
"""How a request names choosing a new password for root by a mailed link."""


class Whose(Enum):
    """On whose account an operation acts."""

    CALLER = "the caller's"
    NAMED = "the one that a parameter names, or the caller's"
    ORGANIZATION = "the management account of the caller's organization"
    BUCKET = "the one that a parameter's bucket was given to"
    INSTALLATION = "every one: the seal that is the oldest of those that cover the act decides"
    CUSTODIAN = "those that are sealed under a team of the custodian whom a parameter names: the oldest seal decides"


@dataclass(frozen=True, slots=True)
class SealableOperation:
    """One operation that a seal can cover."""

    act: SealedAct
    whose: Whose = Whose.CALLER
    member: str = ""
    """The parameter that names the account, by its id or by an ARN in it."""
    by_root_alone: bool = False
    """Whether it is this act only where a root user does it."""
    switch: str = ""
    """A parameter that switches a guard: to switch it on is free."""


def of(name: str, caller: Caller) -> SealableOperation | None:
    """Return what an operation is as an act; None for the many that can't be sealed."""
    found = OPERATIONS.get(name)
    if found is None or (found.by_root_alone and not _is_root(caller)):
        return None
    return found


def is_free(found: SealableOperation, parameters: Mapping[str, object]) -> bool:
    """Tell whether an operation takes no approval with these parameters: it switches a guard on."""
    return bool(found.switch) and parameters.get(found.switch) is True


def accounts_of(found: SealableOperation, own: str, management: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the accounts whose seal covers an operation: an organization's own comes before a member's.

    None where the database has to be asked for them (`Whose.BUCKET`, `Whose.INSTALLATION`, `Whose.CUSTODIAN`).
    """
    named = _account_in(parameters.get(found.member)) if found.member else ""
    match found.whose:
        case Whose.CALLER:
            return (own,)
        case Whose.NAMED:
            return (named or own,)
        case Whose.ORGANIZATION:
            return tuple(dict.fromkeys(each for each in (management, named, own) if each))
        case Whose.BUCKET | Whose.INSTALLATION | Whose.CUSTODIAN:
            return ()


def _account_in(value: object) -> str:
    if not isinstance(value, str):
        return ""
    parts = arn.parse(value)
    account_id = value if parts is None else parts.account_id
    return account_id if ids.is_account_id(account_id) else ""


def _is_root(caller: Caller) -> bool:
    return isinstance(caller, Principal) and caller.kind is PrincipalKind.ROOT


def _each(service: str, kind: SealableOperation, *names: str) -> dict[str, SealableOperation]:
    return {f"{service}:{name}": kind for name in names}


def _named(act: SealedAct, member: str) -> SealableOperation:
    return SealableOperation(act, Whose.NAMED, member)


_GUARDRAILS = SealableOperation(SealedAct.GUARDRAILS, Whose.ORGANIZATION)

OPERATIONS: Mapping[str, SealableOperation] = {
    **_each("sts", _named(SealedAct.ROOT_SESSIONS, "TargetPrincipal"), "AssumeRoot"),
    **_each("operator", _named(SealedAct.ROOT_RECOVERY, "account_id"), "ConfirmRootRecovery"),
    **_each("iam", SealableOperation(SealedAct.ROOT_RECOVERY, by_root_alone=True), "CreateLoginProfile"),
    **_each("iam", SealableOperation(SealedAct.ROOT_MFA, by_root_alone=True), "DeactivateMFADevice"),
    **_each("account-security", SealableOperation(SealedAct.ROOT_EMAIL), "StartRootEmailUpdate", "AcceptRootEmailUpdate"),
    **_each("account", _named(SealedAct.ROOT_EMAIL, "AccountId"), "StartPrimaryEmailUpdate", "AcceptPrimaryEmailUpdate"),
    **_each("account-security", SealableOperation(SealedAct.CLOSE_ACCOUNT), "CloseAccount"),
    **_each("organizations", _named(SealedAct.CLOSE_ACCOUNT, "AccountId"), "CloseAccount"),
    **_each("operator", _named(SealedAct.CLOSE_ACCOUNT, "account_id"), "CloseAccount"),
    **_each("organizations", replace(_GUARDRAILS, member="TargetId"), "DetachPolicy"),
    **_each("organizations", SealableOperation(SealedAct.ATTACHING, Whose.ORGANIZATION, "TargetId"), "AttachPolicy"),
    **_each("organizations", _GUARDRAILS, "DeletePolicy", "UpdatePolicy", "DisablePolicyType", "DeleteOrganization"),
    **_each("organizations", _GUARDRAILS, "LeaveOrganization"),
    **_each("organizations", replace(_GUARDRAILS, member="AccountId"), "MoveAccount", "RemoveAccountFromOrganization"),
    **_each("operator", replace(_named(SealedAct.GUARDRAILS, "account_id"), switch="enabled"), "SetLastWayInGuard"),
    **_each("account-security", SealableOperation(SealedAct.GUARDRAILS, switch="Enabled"), "UpdateLastWayInGuard"),
    **_each("cloudtrail", SealableOperation(SealedAct.TRAIL), "DeleteTrail", "StopLogging", "UpdateTrail", "PutEventSelectors"),
    **_each("operator", _named(SealedAct.TRAIL, "account_id"), "WithholdRecords"),
    **_each("operator", SealableOperation(SealedAct.TRAIL, Whose.BUCKET, "name"), "RemoveTrailBucket"),
    **_each("operator", SealableOperation(SealedAct.TRAIL, Whose.INSTALLATION), "RotateTrailKeys"),
    **_each("alerts", SealableOperation(SealedAct.ALERTS), "PutAlertRule", "DeleteAlertRule", "SilenceAlertRule"),
    **_each("alerts", SealableOperation(SealedAct.ALERTS), "DeleteAlertReceiver"),
    **_each("operator", _named(SealedAct.ALERTS, "account_id"), "SwitchOffAlertRule", "PutAlertRule", "DeleteAlertRule"),
    **_each("operator", _named(SealedAct.ALERTS, "account_id"), "DeleteAlertReceiver"),
    **_each("operator", _named(SealedAct.OPERATOR, "account_id"), "PurgeAccount", "SetRootCustodian", "RemoveRootCustodian"),
    **_each("operator", SealableOperation(SealedAct.OPERATOR, Whose.INSTALLATION), "BeginKeyRotation"),
    **_each("operator", _named(SealedAct.UNSEAL, "account_id"), "UnsealAccount", "SealAccount"),
    # Whoever gives a custodian other keys decides who approves.
    **_each("operator", SealableOperation(SealedAct.UNSEAL, Whose.CUSTODIAN, "custodian_id"), "ResetCustodianKeys"),
    **_each("operator", SealableOperation(SealedAct.OPERATOR, Whose.CUSTODIAN, "custodian_id"), "RemoveCustodian"),
}
"""By service and name, such as `sts:AssumeRoot`. Parameters are named as the operation's model names them."""
