"""May this caller do this? Gathers the policies that apply and lets the policy engine decide; a refusal is AWS's AccessDenied."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors, policy
from crownkeep.operations import context, permissions
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Operation, Permission, Target
from crownkeep.policy import Applicable, Decision, PolicySet
from crownkeep.principals import Anonymous, Operator, Principal, PrincipalKind

OPERATOR_SERVICE = "operator"

_KINDS = {
    PrincipalKind.ROOT: policy.PrincipalKind.ROOT,
    PrincipalKind.USER: policy.PrincipalKind.USER,
    PrincipalKind.ROLE: policy.PrincipalKind.ROLE_SESSION,
    PrincipalKind.FEDERATED_USER: policy.PrincipalKind.FEDERATED_USER,
}

# What temporary credentials of GetSessionToken (without MFA) and GetFederationToken may still call of IAM and STS
# (STS API reference, "GetSessionToken" and "GetFederationToken").
_OPEN_TO_SESSION_TOKENS = frozenset({"sts:GetCallerIdentity", "sts:AssumeRole"})
_OPEN_TO_FEDERATED_USERS = frozenset({"sts:GetCallerIdentity"})


def require(call: Call, operation: Operation, arguments: Mapping[str, object]) -> None:
    """Refuse the call unless the caller may make it; raises AccessDenied in AWS's words."""
    if _is_for_operator(call, operation) or operation.permission is Permission.NONE:
        return
    if isinstance(call.caller, Anonymous):
        raise errors.MissingAuthenticationToken("Request is missing Authentication Token")
    principal = call.principal
    _refuse_limited_session(principal, operation)
    target = operation.resource(call, **arguments)
    decision = decide(call, principal, operation.action, target, arguments)
    if not decision.allowed:
        raise errors.AccessDenied(decision.denial_text())


def _is_for_operator(call: Call, operation: Operation) -> bool:
    """Answer whether this is the operator at the operator's own service; raises AccessDenied where it is only one of the two.

    No principal of any account reaches that service, whatever its policies say, and the operator reaches no other: it makes
    accounts, and is nobody inside them.
    """
    is_operator = isinstance(call.caller, Operator)
    if is_operator != (operation.service.name == OPERATOR_SERVICE):
        raise errors.AccessDenied(f"the operator alone may call the service `{OPERATOR_SERVICE}`, and may call no other")
    return is_operator


def decide(call: Call, principal: Principal, action: str, target: Target, arguments: Mapping[str, object]) -> Decision:
    """Decide one action on one target for a principal of the call's own account."""
    request = policy.Request(_policy_principal(principal), action, target.arn or "*", context.of_call(call, target, arguments))
    return policy.authorize(request, applicable(call, principal))


def applicable(call: Call, principal: Principal) -> Applicable:
    """Gather every policy that applies to a principal."""
    held = call.standing.permissions(call.db, principal)
    return Applicable(
        identity=held.identity,
        grants=held.grants,
        boundary=held.boundary,
        session=_session_policies(call, principal),
    )


def _session_policies(call: Call, principal: Principal) -> PolicySet | None:
    session = principal.session
    if session is None or not session.has_policy:
        return None
    texts = permissions.managed(call.db, principal.account_id, session.policy_arns)
    source = policy.PolicySource(policy.PolicyKind.SESSION, "session policy")
    texts += [permissions.Text(document, source) for document in session.policies]
    return permissions.compiled(texts)


def _policy_principal(principal: Principal) -> policy.Principal:
    return policy.Principal(
        _KINDS[principal.kind], principal.arn, principal.account_id, principal.unique_id, principal.policy_arn
    )


def _refuse_limited_session(principal: Principal, operation: Operation) -> None:
    session = principal.session
    if session is None or operation.service.name not in ("iam", "sts"):
        return
    match principal.kind:
        case PrincipalKind.FEDERATED_USER if operation.action not in _OPEN_TO_FEDERATED_USERS and not session.from_console:
            raise errors.AccessDenied(f"Cannot call {operation.name} with federated user credentials")
        case PrincipalKind.USER | PrincipalKind.ROOT:
            limited = not (session.mfa_at or session.from_console or session.assumed_root)
            if limited and (operation.service.name == "iam" or operation.action not in _OPEN_TO_SESSION_TOKENS):
                raise errors.InvalidClientTokenId("The security token included in the request is invalid")
        case _:
            return
