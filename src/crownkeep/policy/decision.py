"""A decision and its reasons: what each kind of policy said, what settled it, and AWS's words for a refusal."""

from __future__ import annotations

from enum import Enum

from crownkeep.policy.compile import CompiledStatement
from crownkeep.policy.context import PolicyRequest
from crownkeep.policy.naming import Naming
from crownkeep.values import value_type


class DecidingKind(Enum):
    """The kinds of policy that take part, in the order in which a refusal names one when several refuse."""

    RESOURCE_CONTROL = "resource control policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE = "resource-based policy"
    ENDPOINT = "VPC endpoint policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SCOPE = "scope-down session policy"

    __hash__ = object.__hash__  # An enum's own is written in Python, and these are looked up several times in each decision.


class PolicyEffect(Enum):
    """What one kind of policy says to a request."""

    ALLOW = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class Reason(Enum):
    """Why a decision is what it is."""

    ALLOWED_BY_IDENTITY = "an identity-based policy allows it"
    ALLOWED_BY_RESOURCE = "the resource-based policy allows it"
    ALLOWED_BY_BOTH_SIDES = "the caller's account and the resource's account both allow it"
    ALLOWED_AS_ROOT = "the root user may do anything that nothing denies"
    NO_PERMISSION_NEEDED = "the action needs no permission"
    EXPLICIT_DENY = "a policy denies it explicitly"
    NO_ALLOW = "no policy of a kind that must allow it does"
    TOO_MUCH_WORK = "the policies ask for more comparing than one decision may take"


class ResourcePolicyRole(Enum):
    """What the resource's policy is for: one more way to be allowed, or a grant nobody does without."""

    OPTIONAL = "optional"
    REQUIRED = "required"  # KMS key policies
    TRUST = "trust"  # role trust policies: required, and named so in refusals


@value_type(frozen=True, slots=True)
class Finding:
    """What one kind of policy said, and the statement that said it; `level` counts organization levels from 0."""

    kind: DecidingKind
    effect: PolicyEffect
    statement: CompiledStatement | None = None
    level: int | None = None
    naming: Naming | None = None


@value_type(frozen=True, slots=True)
class Decision:
    """An answer with its reason: `deciding` is the finding that settled it, `findings` all that were made."""

    allowed: bool
    reason: Reason
    request: PolicyRequest
    findings: tuple[Finding, ...]
    deciding: Finding | None = None
    role: ResourcePolicyRole = ResourcePolicyRole.OPTIONAL

    @property
    def effect(self) -> PolicyEffect:
        """The decision in the simulator's words."""
        if self.allowed:
            return PolicyEffect.ALLOW
        return PolicyEffect.EXPLICIT_DENY if self.reason is Reason.EXPLICIT_DENY else PolicyEffect.IMPLICIT_DENY

    def denial_text(self, shown: str | None = None) -> str:
        """AWS's message for this refusal (IAM user guide, "Troubleshoot access denied error messages").

        The resource is `shown` or its ARN, and is left out when the request names none (`*`).
        """
        request = self.request
        named = shown or request.resource
        where = "" if named == "*" else f" on resource: {named}"
        caller = request.principal.arn or next(iter(request.principal.names), "anonymous")
        return f"User: {caller} is not authorized to perform: {request.action}{where} {self._context()}"

    def _context(self) -> str:
        if self.reason is Reason.TOO_MUCH_WORK:
            return f"because {self.reason.value}"
        kind = self.deciding.kind if self.deciding is not None else DecidingKind.RESOURCE
        is_trust = kind is DecidingKind.RESOURCE and self.role is ResourcePolicyRole.TRUST
        name = "role trust policy" if is_trust else kind.value
        if self.effect is not PolicyEffect.EXPLICIT_DENY:
            return f"because no {name} allows the {self.request.action} action"
        article = "the" if is_trust else "an" if kind is DecidingKind.IDENTITY else "a"
        return f"with an explicit deny in {article} {name}{self._policy_arn(kind)}"

    def _policy_arn(self, kind: DecidingKind) -> str:
        statement = self.deciding.statement if self.deciding is not None else None
        if statement is None or statement.source.arn is None or kind not in _CITED_BY_ARN:
            return ""
        return f": {statement.source.arn}"


_CITED_BY_ARN = frozenset(
    {
        DecidingKind.RESOURCE_CONTROL,
        DecidingKind.SERVICE_CONTROL,
        DecidingKind.IDENTITY,
        DecidingKind.BOUNDARY,
        DecidingKind.SESSION,
    }
)
