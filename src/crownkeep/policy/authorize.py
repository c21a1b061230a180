"""The decision: what every kind of policy says to a request, put together in the order AWS documents.

Source: IAM user guide, "How AWS enforcement code logic evaluates requests to allow or deny access", and its pages on
single-account and cross-account requests.
"""

from __future__ import annotations

from crownkeep.policy.compile import EMPTY, CompiledStatement, PolicySet
from crownkeep.policy.context import PolicyPrincipalKind, PolicyRequest
from crownkeep.policy.decision import DecidingKind, Decision, Finding, PolicyEffect, Reason, ResourcePolicyRole
from crownkeep.policy.naming import Naming
from crownkeep.policy.work import TooMuchWork
from crownkeep.values import value_type

# Nothing denies these (API_GetCallerIdentity: "No permissions are required"; an explicit deny has no effect either).
ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity"})
# These need no Allow anywhere; an explicit Deny works (IAM user guide, "Permissions for GetSessionToken"). GetScopedCredentials
# only narrows, and AWS lets sessions without any permission of STS call it (API_GetFederationToken).
# What people do with their own sessions and recovery codes is theirs, unless a policy takes it from them. FindNames tells nothing
# but what the caller may list.
NEEDS_NO_ALLOW = frozenset(
    {
        "sts:GetSessionToken",
        "sts:GetScopedCredentials",
        "account-security:CreateRecoveryCodes",
        "account-security:EndOtherSessions",
        "account-security:EndSession",
        "account-security:FindNames",
        "account-security:ListSessions",
        "account-security:ListTrailFilters",
        "account-security:PutTrailFilter",
        "account-security:DeleteTrailFilter",
    }
)

_ALWAYS_ALLOWED = frozenset(action.lower() for action in ALWAYS_ALLOWED)
_NEEDS_NO_ALLOW = frozenset(action.lower() for action in NEEDS_NO_ALLOW)


@value_type(frozen=True, slots=True)
class Applicable:
    """Every policy that applies to a request; None where a kind does not apply at all.

    `identity` are the caller's own (with those of groups), `grants` account-wide grants with no policy attached, such as
    AllowUsersToChangePassword. `session` is the union of a session's inline and managed policies: an empty set, as for a
    federated user without a session policy, allows nothing. `root_task` is the task policy of an AssumeRoot session, a
    ceiling that only denies. `service_control` has one set per level from the root of the organization to the caller's
    account, empty for the management account; `resource_control` likewise for the resource's account.
    `scopes` are the layers of GetScopedCredentials: each must allow, whoever the resource's policy names.
    `resource_account_id` is None when the resource is the caller's own account's.
    """

    identity: PolicySet | None = None
    grants: PolicySet | None = None
    boundary: PolicySet | None = None
    session: PolicySet | None = None
    scopes: tuple[PolicySet, ...] = ()
    root_task: PolicySet | None = None
    service_control: tuple[PolicySet, ...] = ()
    resource_control: tuple[PolicySet, ...] = ()
    resource: PolicySet | None = None
    resource_role: ResourcePolicyRole = ResourcePolicyRole.OPTIONAL
    endpoint: PolicySet | None = None
    resource_account_id: str | None = None
    is_service_linked_role: bool = False


# Callers with an account: organizations bind them, and they have policies of their own.
_IDENTITIES = frozenset({PolicyPrincipalKind.USER, PolicyPrincipalKind.ROLE_SESSION, PolicyPrincipalKind.FEDERATED_USER})
_MEMBERS = _IDENTITIES | {PolicyPrincipalKind.ROOT}


def authorize(request: PolicyRequest, applicable: Applicable) -> Decision:
    """Decide whether the request is allowed, as AWS would, and keep why.

    Policies that ask for more comparing than a decision may take allow nothing, whatever they say.
    """
    action = request.action.lower()
    # Before anything is gathered: AWS answers this to every credential that is good, and no policy can take it away.
    if action in _ALWAYS_ALLOWED and request.principal.kind is not PolicyPrincipalKind.ANONYMOUS:
        return Decision(True, Reason.NO_PERMISSION_NEEDED, request, ())
    try:
        findings = _find(request, applicable)
    # Fail closed: what was not compared may hold a Deny.
    except TooMuchWork:
        return Decision(False, Reason.TOO_MUCH_WORK, request, ())
    # 1. An explicit deny in any policy ends it.
    # All kinds were asked, and not only until one allows: a deny of the last one ends it as well.
    for finding in findings:
        if finding.effect is PolicyEffect.EXPLICIT_DENY:
            return Decision(False, Reason.EXPLICIT_DENY, request, findings, finding, applicable.resource_role)
    # After the denies, unlike what is always allowed: these can be taken away.
    if action in _NEEDS_NO_ALLOW:
        return Decision(True, Reason.NO_PERMISSION_NEEDED, request, findings)
    # 2. Resource control, service control, endpoint and scope-down policies must allow, at every level.
    # An Allow in one level says nothing for another one. The order of `findings` is the order in which AWS names what is
    # missing.
    for finding in findings:
        if finding.kind in _GATES and finding.effect is not PolicyEffect.ALLOW:
            return Decision(False, Reason.NO_ALLOW, request, findings, finding, applicable.resource_role)
    # 3. Then the grants: the resource's policy, the caller's own, and what limits those.
    reason, deciding = _settle(request, applicable, {finding.kind: finding for finding in findings})
    return Decision(reason is not Reason.NO_ALLOW, reason, request, findings, deciding, applicable.resource_role)


_GATES = frozenset({DecidingKind.RESOURCE_CONTROL, DecidingKind.SERVICE_CONTROL, DecidingKind.ENDPOINT, DecidingKind.SCOPE})


def _find(request: PolicyRequest, applicable: Applicable) -> tuple[Finding, ...]:
    """What each applicable kind of policy says, in the order of Kind."""
    kind = request.principal.kind
    findings: list[Finding] = []
    if not applicable.is_service_linked_role:  # AWS exempts these from its organization policies
        # Of the resource's account, so they bind callers of other organizations too. Service control binds only the caller's own.
        if applicable.resource_control:
            findings.extend(_said_by_levels(DecidingKind.RESOURCE_CONTROL, applicable.resource_control, request))
        if applicable.service_control and kind in _MEMBERS:
            findings.extend(_said_by_levels(DecidingKind.SERVICE_CONTROL, applicable.service_control, request))
    if applicable.resource is not None:
        findings.append(_said_by_resource(applicable.resource, request))
    if applicable.endpoint is not None:
        findings.append(_said(DecidingKind.ENDPOINT, applicable.endpoint, request))
    # Root, services and strangers have no policies of their own, and so no boundary: nothing is missing there.
    if kind in _IDENTITIES:
        findings.append(_said_by_identity(applicable, request))
        if applicable.boundary is not None:
            findings.append(_said(DecidingKind.BOUNDARY, applicable.boundary, request))
    if applicable.session is not None or applicable.root_task is not None:
        findings.append(_said_by_session(applicable, request))
    if applicable.scopes:
        findings.extend(_said_by_levels(DecidingKind.SCOPE, applicable.scopes, request))
    return tuple(findings)


def _said(kind: DecidingKind, policies: PolicySet, request: PolicyRequest) -> Finding:
    statement = policies.decide(request)
    return Finding(kind, _effect(statement), statement)


def _effect(statement: CompiledStatement | None) -> PolicyEffect:
    if statement is None:
        return PolicyEffect.IMPLICIT_DENY
    return PolicyEffect.ALLOW if statement.allows else PolicyEffect.EXPLICIT_DENY


def _said_by_levels(kind: DecidingKind, levels: tuple[PolicySet, ...], request: PolicyRequest) -> list[Finding]:
    # Every level is asked: the levels are joined by "and", while policies within one are joined by "or".
    statements = [policies.decide(request) for policies in levels]
    return [Finding(kind, _effect(statement), statement, level) for level, statement in enumerate(statements)]


def _said_by_identity(applicable: Applicable, request: PolicyRequest) -> Finding:
    statement = (applicable.identity or EMPTY).decide(request)
    # Asked only where the attached policies say nothing: it never denies, and what they deny stays denied.
    if statement is None and applicable.grants is not None:
        statement = applicable.grants.decide(request)
    return Finding(DecidingKind.IDENTITY, _effect(statement), statement)


def _said_by_session(applicable: Applicable, request: PolicyRequest) -> Finding:
    """The session's policies must allow; a root task policy only denies, root's own power being what it limits."""
    denied = applicable.root_task.decide(request) if applicable.root_task is not None else None
    # What a task policy allows grants nothing; it must not be taken for the session's Allow.
    if denied is not None and not denied.allows:
        return Finding(DecidingKind.SESSION, PolicyEffect.EXPLICIT_DENY, denied)
    # Root's session without a session policy: only the task policy limits it, and that has not denied.
    if applicable.session is None:
        return Finding(DecidingKind.SESSION, PolicyEffect.ALLOW)
    return _said(DecidingKind.SESSION, applicable.session, request)


def _said_by_resource(policies: PolicySet, request: PolicyRequest) -> Finding:
    """Of all that allow, the statement that names the caller most directly counts."""
    said = policies.decide(request)
    if said is None or not said.allows:
        return Finding(DecidingKind.RESOURCE, _effect(said), said)
    # `decide` stops at the first statement that allows. How directly a caller is named decides which limits apply, so all of
    # them count here.
    allowing = [
        statement
        for statement in policies.for_action(request.action).statements
        if statement.allows and statement.matches_resource(request) and statement.holds(request)
    ]
    # The enum's order is that of directness: naming nobody, by the account, by the role behind a session, the caller itself.
    best = max(allowing, key=lambda statement: statement.naming(request))
    return Finding(DecidingKind.RESOURCE, PolicyEffect.ALLOW, best, naming=best.naming(request))


def _settle(request: PolicyRequest, applicable: Applicable, said: dict[DecidingKind, Finding]) -> tuple[Reason, Finding | None]:
    """Reason and deciding finding once nothing denies and the organizations' policies allow."""
    principal = request.principal
    resource = said.get(DecidingKind.RESOURCE)
    naming = (resource.naming if resource is not None else None) or Naming.NONE
    # They have no account whose policies could allow: the resource's policy alone decides.
    if principal.kind not in _MEMBERS:
        return (Reason.ALLOWED_BY_RESOURCE if naming else Reason.NO_ALLOW), resource
    # Before the trust policy's own rule: across accounts a resource's policy alone is never enough.
    if applicable.resource_account_id not in (None, principal.account_id):
        return _settle_cross_account(said, resource, naming)
    # A role's trust policy must name the caller, whatever the caller's own policies allow.
    if applicable.resource_role is not ResourcePolicyRole.OPTIONAL and not naming:
        return Reason.NO_ALLOW, resource
    if principal.kind is PolicyPrincipalKind.ROOT:
        # Root needs no Allow, and it has no boundary. A session of root can still be narrowed.
        missing = _first_missing(said, _LIMITS)
        return (Reason.NO_ALLOW, missing) if missing else (Reason.ALLOWED_AS_ROOT, None)
    if naming is Naming.DIRECT:
        # Whoever names a user means the user, and not what a session policy leaves of them (IAM user guide, "Session policies").
        missing = _first_missing(said, (DecidingKind.SESSION,)) if principal.kind is PolicyPrincipalKind.USER else None
        return (Reason.NO_ALLOW, missing) if missing else (Reason.ALLOWED_BY_RESOURCE, resource)
    # The role is named and not the session: what limits the session limits this grant too.
    if naming is Naming.ISSUER:
        missing = _first_missing(said, _LIMITS)
        return (Reason.NO_ALLOW, missing) if missing else (Reason.ALLOWED_BY_RESOURCE, resource)
    missing = _first_missing(said, _OWN_SIDE)
    return (Reason.NO_ALLOW, missing) if missing else (Reason.ALLOWED_BY_IDENTITY, said[DecidingKind.IDENTITY])


def _settle_cross_account(
    said: dict[DecidingKind, Finding], resource: Finding | None, naming: Naming
) -> tuple[Reason, Finding | None]:
    """Both accounts must allow, however directly the resource's policy names the caller."""
    # The caller's side first: AWS's refusals name what is missing there before what the resource lacks.
    missing = _first_missing(said, _OWN_SIDE)
    if missing is not None:
        return Reason.NO_ALLOW, missing
    return (Reason.ALLOWED_BY_BOTH_SIDES if naming else Reason.NO_ALLOW), resource


_LIMITS = (DecidingKind.BOUNDARY, DecidingKind.SESSION)
_OWN_SIDE = (DecidingKind.IDENTITY, DecidingKind.BOUNDARY, DecidingKind.SESSION)


def _first_missing(said: dict[DecidingKind, Finding], kinds: tuple[DecidingKind, ...]) -> Finding | None:
    """The first of these kinds that applies and does not allow."""
    return next((said[kind] for kind in kinds if kind in said and said[kind].effect is not PolicyEffect.ALLOW), None)
