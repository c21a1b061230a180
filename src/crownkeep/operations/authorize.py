"""May this caller do this? Gathers the policies that apply and lets the policy engine decide; a refusal is AWS's AccessDenied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from crownkeep import arn, errors, ids, policy
from crownkeep.catalogue import managed_policies
from crownkeep.errors import AwsError
from crownkeep.operations import approvals, context, operator_scopes, organization_controls, permissions
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Operation, Permission, Tagging, Target
from crownkeep.policy import Applicable, Decision, Explanation, PolicySet, ResourcePolicyRole
from crownkeep.principals import Anonymous, Caller, Operator, Principal, PrincipalKind

OPERATOR_SERVICE = "operator"

_KINDS = {
    PrincipalKind.ROOT: policy.PolicyPrincipalKind.ROOT,
    PrincipalKind.USER: policy.PolicyPrincipalKind.USER,
    PrincipalKind.ROLE: policy.PolicyPrincipalKind.ROLE_SESSION,
    PrincipalKind.FEDERATED_USER: policy.PolicyPrincipalKind.FEDERATED_USER,
}

# What temporary credentials of GetSessionToken (without MFA) and GetFederationToken may still call of IAM and STS
# (STS API reference, "GetSessionToken" and "GetFederationToken").
_CLOSED_TO_SESSIONS = frozenset({"sts:GetSessionToken", "sts:GetFederationToken"})
_OPEN_TO_FEDERATED_USERS = frozenset({"sts:GetCallerIdentity", "sts:GetScopedCredentials", "sts:GetDelegatedAccessToken"})
_OPEN_TO_SESSION_TOKENS = _OPEN_TO_FEDERATED_USERS | {"sts:AssumeRole", "sts:GetWebIdentityToken"}


def require(
    call: Call, operation: Operation, arguments: Mapping[str, object], *, known: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Refuse the call unless the caller may make it, and say in it what that was decided on; raises AccessDenied in AWS's words.

    `known` holds condition keys that the operation's arguments don't tell, such as a security key's certifications.
    """
    _require_policies(call, operation, arguments, known)
    # After policies: who may not do it at all learns nothing of seals.
    approvals.require(call, operation, arguments)


def _require_policies(call: Call, operation: Operation, arguments: Mapping[str, object], known: Mapping[str, str]) -> None:
    if _is_for_person(call, operation):
        call.decided_on(operation.resource(call, **arguments))
        return
    if _is_for_operator(call, operation):
        return
    if operation.permission is Permission.NONE:
        # No policy of a caller's is asked. What the call is about is still found here, and nowhere else: a role's trust policy
        # decides on it in the handler.
        call.decided_on(operation.resource(call, **arguments))
        return
    if isinstance(call.caller, Anonymous):
        raise errors.MissingAuthenticationToken("Request is missing Authentication Token")
    principal = call.principal
    # Before policies are asked: no policy can give these sessions more.
    _refuse_limited_session(principal, operation.action.partition(":")[0], operation.action)
    target = operation.resource(call, **arguments)
    if known:
        # What the operation knows wins over what the target says: it was verified, and not merely sent.
        target = replace(target, context={**target.context, **known})
    # All must be allowed; the first that is not is the one that the refusal names.
    for each in (target, *target.further):
        decision = decide(call, principal, operation.action, each, arguments)
        if not decision.allowed:
            raise errors.AccessDenied(decision.denial_text(each.shown))
    if operation.tagging is not None and (arguments.get("tags") or arguments.get("tags_list")):
        _require_tagging(call, operation.tagging, target, arguments)
    call.decided_on(target)


def _require_tagging(call: Call, tagging: Tagging, made: Target, arguments: Mapping[str, object]) -> None:
    # The operation's own condition keys say nothing of the tagging action; its resource is the same.
    tagged = replace(made, context={}) if tagging.resource is None else tagging.resource(call, **arguments)
    require_action(call, tagging.action, tagged, arguments)


def require_action(call: Call, action: str, target: Target, arguments: Mapping[str, object] | None = None) -> None:
    """Raise AccessDenied unless the caller may also do this: what an operation asks for beyond itself, such as iam:PassRole."""
    decision = decide(call, call.principal, action, target, arguments or {})
    if not decision.allowed:
        raise errors.AccessDenied(decision.denial_text(target.shown))


def _is_for_person(call: Call, operation: Operation) -> bool:
    """Tell whether a person of single sign-on calls what is for people; raises AccessDenied for all else.

    They are nobody in any account: what they do there, they do by roles that they take. So no policy is asked about them, not
    even one that allows everybody, and what everybody may do with any credential is not for them either.
    """
    if not _is_person(call.caller):
        return False
    if operation.name not in operation.service.for_people:
        raise errors.AccessDenied(f"{operation.action} is not for people of single sign-on: take a role in an account first")
    return True


def _is_person(caller: Caller) -> bool:
    return isinstance(caller, Principal) and caller.kind is PrincipalKind.PERSON


def _is_for_operator(call: Call, operation: Operation) -> bool:
    """Tell whether this is the operator at the operator's own service; raises AccessDenied where it is only one of the two.

    No principal of any account reaches that service, whatever its policies say, and the operator reaches no other: it makes
    accounts, and is nobody inside them.
    """
    is_operator = isinstance(call.caller, Operator)
    if is_operator != (operation.service.name == OPERATOR_SERVICE):
        # One comparison for both directions. An operator who could call an account's service would be somebody inside every
        # account.
        raise errors.AccessDenied(f"the operator alone may call the service `{OPERATOR_SERVICE}`, and may call no other")
    if isinstance(call.caller, Operator) and call.caller.name:
        _require_scope(call, call.caller, operation)
    return is_operator


def _require_scope(call: Call, operator: Operator, operation: Operation) -> None:
    scope = operator_scopes.of_operation(operation.name)
    call.notes.additional["operatorScope"] = scope
    if not operator_scopes.covers(operator.scopes, scope):
        raise errors.AccessDenied(
            f"operator `{operator.name}` may not call {operation.name}: its token lacks the scope `{scope}`"
        )


def allows(call: Call, action: str, target: Target) -> bool:
    """Tell whether the caller could call another operation of AWS's, by policies and by what their session may call at all.

    For operations of ours that tell what AWS's would tell: they tell it to nobody else.
    """
    try:
        # Both halves of `require`: policies alone would let a session see what its kind may never call.
        _refuse_limited_session(call.principal, action.partition(":")[0], action)
    except AwsError:
        return False
    return decide(call, call.principal, action, target, {}).allowed


def decide(call: Call, principal: Principal, action: str, target: Target, arguments: Mapping[str, object]) -> Decision:
    """Decide one action on one target for a principal of the call's own account."""
    return policy.authorize(*_question(call, principal, action, target, arguments))


def explain(call: Call, principal: Principal, action: str, target: Target) -> Explanation:
    """Decide the same, and tell why; for people, since it takes longer."""
    return policy.explain(*_question(call, principal, action, target, {}))


def _question(
    call: Call, principal: Principal, action: str, target: Target, arguments: Mapping[str, object]
) -> tuple[policy.PolicyRequest, Applicable]:
    if _is_person(principal):
        raise errors.AccessDenied(f"{action} is not for people of single sign-on: take a role in an account first")
    # Gathered once for a decision: standing and compiled sets come from caches, session policies from the token.
    found = applicable(call, principal, action, target)
    caller = policy_principal(principal, has_boundary=found.boundary is not None)
    return policy.PolicyRequest(caller, action, target.arn or "*", context.of_call(call, target, arguments)), found


def applicable(call: Call, principal: Principal, action: str, target: Target) -> Applicable:
    """Gather every policy that applies to a principal, and to what an action is done to."""
    held = call.standing.permissions(call.db, principal)
    return Applicable(
        resource=target.policy,
        resource_role=ResourcePolicyRole.OPTIONAL if target.policy is None else target.policy_role,
        resource_account_id=None if target.policy is None else target.account_id or principal.account_id,
        # Of the resource's organization, which may be another one than the caller's.
        resource_control=resource_controls(call, action, target),
        identity=held.identity,
        grants=held.grants,
        boundary=held.boundary,
        session=_session_policies(call, principal),
        scopes=_scopes(principal),
        root_task=_root_task(principal),
        service_control=service_controls(call),
        is_service_linked_role=held.is_service_linked_role,
    )


def service_controls(call: Call) -> tuple[PolicySet, ...]:
    """Return the service control policies over the caller's account, level by level."""
    membership = call.standing.membership(call.db)
    return () if membership is None else membership.service_control


def resource_controls(call: Call, action: str, target: Target) -> tuple[PolicySet, ...]:
    """Return the resource control policies over the account of what an action is done to, level by level."""
    if not organization_controls.is_resource_controlled(action):
        return ()
    membership = context.membership_of(call, _account_of(call, target))
    return () if membership is None else membership.resource_control


def _account_of(call: Call, target: Target) -> str:
    if target.account_id is not None:
        return target.account_id
    # An ARN without an account (a managed policy of AWS) is judged as the caller's own.
    parts = arn.parse(target.arn or "")
    return parts.account_id if parts is not None and ids.is_account_id(parts.account_id) else call.standing.account_id


def _root_task(principal: Principal) -> PolicySet | None:
    """Return the ceiling of a session of AssumeRoot: what a task policy does not leave, root's own power does not reach."""
    session = principal.session
    if session is None or not session.assumed_root:
        return None
    task = managed_policies.with_arn(session.task_policy_arn)
    if task is None:
        # A ceiling only denies, so that one which is not known must not count as one that denies nothing.
        raise errors.AccessDenied(f"the task policy `{session.task_policy_arn}` is not known: ask for a new session")
    source = policy.PolicySource(policy.PolicyKind.SESSION, task.policy_id, task.name, task.arn)
    return permissions.compiled([permissions.Text(task.document, source)])


def _session_policies(call: Call, principal: Principal) -> PolicySet | None:
    session = principal.session
    if session is None:
        return None
    if not session.has_policy:
        # A federated user has nothing of its own without a session policy (API_GetFederationToken).
        return policy.EMPTY if principal.kind is PrincipalKind.FEDERATED_USER else None
    texts = permissions.managed(call.db, principal.account_id, session.policy_arns)
    source = policy.PolicySource(policy.PolicyKind.SESSION, "session policy")
    texts += [permissions.Text(document, source) for document in session.policies]
    return permissions.compiled(texts)


def _scopes(principal: Principal) -> tuple[PolicySet, ...]:
    """Return what GetScopedCredentials narrowed the session to, layer by layer."""
    session = principal.session
    if session is None or not session.scopes:
        return ()
    source = policy.PolicySource(policy.PolicyKind.SESSION, "scope-down session policy")
    # A set for each layer, and not one of all: each layer must allow by itself, so a later one never widens an earlier one.
    return tuple(permissions.compiled([permissions.Text(document, source)]) for document in session.scopes)


def policy_principal(principal: Principal, *, has_boundary: bool = False) -> policy.PolicyPrincipal:
    """Return a caller as policies can name it: by its ARN, its unique id, and of a session the role's or user's behind it."""
    # Policies may name the session or the role or user behind it; both are given, and the engine matches either.
    if principal.kind in (PrincipalKind.ROLE, PrincipalKind.FEDERATED_USER):
        return policy.PolicyPrincipal(
            _KINDS[principal.kind],
            principal.arn,
            principal.account_id,
            issuer_arn=principal.issuer_arn,
            issuer_unique_id=principal.unique_id,
            has_permissions_boundary=has_boundary,
        )
    return policy.PolicyPrincipal(
        _KINDS[principal.kind],
        principal.arn,
        principal.account_id,
        principal.unique_id,
        has_permissions_boundary=has_boundary,
    )


def _refuse_limited_session(principal: Principal, service: str, action: str) -> None:
    session, name = principal.session, action.partition(":")[2]
    if session is None or service not in ("iam", "sts"):
        return
    match principal.kind:
        case PrincipalKind.FEDERATED_USER if action not in _OPEN_TO_FEDERATED_USERS and not session.from_console:
            raise errors.AccessDenied(f"Cannot call {name} with federated user credentials")
        case PrincipalKind.USER | PrincipalKind.ROOT:
            # A session with MFA, of the console or of root's central tasks may call what a plain GetSessionToken may not.
            limited = not (session.mfa_at or session.from_console or session.assumed_root or session.delegate)
            if limited and action in _CLOSED_TO_SESSIONS:
                raise errors.AccessDenied(f"Cannot call {name} with session credentials")
            if limited and (service == "iam" or action not in _OPEN_TO_SESSION_TOKENS):
                raise errors.InvalidClientTokenId("The security token included in the request is invalid")
        case _:
            return
