"""What the token of a named operator may be limited to: each operation of the operator's service needs one scope.

A scope such as `accounts:write` is held by itself, by its topic `accounts`, or by `all`; `read` holds every `...:read`. What
hands out a way into accounts has a scope of its own: mail (`mail`) holds one-time links, `root` confirms recoveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ALL = "all"
READ = "read"

_OPERATIONS: Mapping[str, str] = {
    "accounts:read": (
        "ListAccounts GetAccount GetRecoverability ListQuotas GetRoot ListDelegationTemplates GetSeal ListApprovalRequests "
        "GetApprovalRequest GetApprovalReport ListCustodians ListScimTokens GetIdentityProvider "
        "ListApprovalTeams"
    ),
    "accounts:write": (
        "CreateAccount CloseAccount ReopenAccount SetQuota ResetQuota EnableSingleSignOn PutDelegationTemplate "
        "RemoveDelegationTemplate"
    ),
    "accounts:purge": "PurgeAccount",
    "root": (
        "ConfirmRootRecovery SetRootCustodian RemoveRootCustodian SetLastWayInGuard SealAccount UnsealAccount AddCustodian "
        "BeginUnsealWithoutTeam CancelUnsealWithoutTeam FinishUnsealWithoutTeam RequestApproval CancelApprovalRequest RelayVote "
        "RemoveCustodian RecordDrill UpdateApprovalTeamRules ResetCustodianKeys"
    ),
    "tokens": "RegisterHardwareToken ListHardwareTokens TakeOutHardwareToken ReturnHardwareToken AuditHardwareTokens",
    "mail": "ListNotices GetNotice",
    "trail:read": "ListEvents ListWitnessedLogs ListTrailBuckets ListSealedMonths",
    "trail:write": "RotateTrailKeys RecordTrailVerification WitnessLog AddTrailBucket RemoveTrailBucket",
    "trail:withhold": "WithholdRecords SealMonth",
    "alerts:read": "ListAlertReceivers ListAlertRules ListAlerts TestAlertRule",
    "alerts:write": (
        "CreateAlertReceiver RotateAlertReceiverSecret EnableAlertReceiver DeleteAlertReceiver TestAlertReceiver PutAlertRule "
        "DeleteAlertRule SwitchOffAlertRule SwitchOnAlertRule ReplayAlerts"
    ),
    "credentials": (
        "FindAccessKeys DeactivateAccessKey QuarantineUser ImportMfaTokens InstallBreachedPasswords InstallFidoMetadata "
        "CreateScimToken DeleteScimToken SetOpenIdProvider SetSamlProvider RemoveIdentityProvider"
    ),
    "keys": ("BeginKeyRotation SplitSealingKey OpenSealingKey JoinSealingKey WrapSealingKey UnwrapSealingKey ResealSecrets"),
    "backups": "StartBackup CompleteBackup FailBackup RestoreBackup MoveDatabase",
    "operators": "ListOperators AddOperator RotateOperator RemoveOperator",
}

_SCOPE_OF = {operation: scope for scope, operations in _OPERATIONS.items() for operation in operations.split()}

SCOPES: tuple[str, ...] = (ALL, READ, *sorted({*_OPERATIONS, *(scope.partition(":")[0] for scope in _OPERATIONS)}))
"""Every scope that a token may be given."""


def of_operation(name: str) -> str:
    """Return the scope that an operation needs: `all` for one that is not listed, so that nothing new is open by omission."""
    return _SCOPE_OF.get(name, ALL)


def covers(held: Iterable[str], wanted: str) -> bool:
    """Tell whether scopes hold another one."""
    topic, _, verb = wanted.partition(":")
    return any(scope in (ALL, wanted, topic) or (scope == READ and verb == READ) for scope in held)
