"""Taking on a role by what an identity provider says of somebody: the part that web identities and SAML have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from crownkeep import errors, models, policy
from crownkeep.credentials import context_providers
from crownkeep.credentials.context_providers import TrustedContext
from crownkeep.models import Shape
from crownkeep.operations import authorize, context, model_limits, validate
from crownkeep.operations.call import Call
from crownkeep.policy import Applicable, ContextValue, PolicyPrincipalKind, ResourcePolicyRole
from crownkeep.principals import Session
from crownkeep.services.sts import assumable, session_policies, session_tags
from crownkeep.services.sts.assumable import Assumable
from crownkeep.services.sts.session_policies import Descriptors
from crownkeep.storage.identities.roles import RoleRow


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom a provider vouches for, and what the provider says of them."""

    kind: PolicyPrincipalKind
    action: str
    """`sts:AssumeRoleWithWebIdentity` or `sts:AssumeRoleWithSAML`."""
    provider_arn: str
    session_name: str
    keys: Mapping[str, ContextValue]
    """The provider's condition keys, such as `accounts.google.com:sub`, which the session keeps."""
    tags: Mapping[str, str]
    transitive_tag_keys: Sequence[str]
    source_identity: str
    context: TrustedContext
    """What the provider's context provider lets the session carry on."""
    trust_keys: Mapping[str, ContextValue] = field(default_factory=dict)
    """What only the trust policy may ask about, such as `token.actions.githubusercontent.com:repository`."""


@dataclass(frozen=True, slots=True)
class RequestedSession:
    """What the call asks of the session."""

    policy: str | None
    policy_arns: Descriptors
    duration_seconds: int | None
    longest_seconds: int | None
    """How long the provider lets a session last, where it says so."""
    minimum_token_size: int | None


def take_on(call: Call, role: Assumable, vouched: Vouched, asked: RequestedSession) -> dict[str, object]:
    """Issue credentials of a session of the role, if its trust policy allows that; raises AccessDenied in AWS's words.

    The trust policy alone decides: there is no account on the other side.
    """
    # As a caller would pass them, so that conditions on aws:RequestTag see them.
    sent = [{"Key": key, "Value": value} for key, value in vouched.tags.items()]
    _require_limits(vouched, sent)
    # As AWS's records have them, whether the role is then taken on or not (IAM user guide, "Logging IAM and AWS STS API calls").
    if sent:
        call.notes.parameters["principalTags"] = dict(vouched.tags)
    if vouched.transitive_tag_keys:
        call.notes.parameters["transitiveTagKeys"] = list(vouched.transitive_tag_keys)
    tagged = session_tags.read(sent, vouched.transitive_tag_keys)
    row = _trusting(call, role, vouched, sent)
    lifetime = assumable.lifetime(row, _seconds(asked))
    policies = session_policies.read(call, row.account_id, document=asked.policy, descriptors=asked.policy_arns)
    session = Session(
        issued_at=call.now,
        expires_at=call.now + lifetime,
        name=vouched.session_name,
        policies=policies.documents,
        policy_arns=policies.arns,
        has_policy=policies.are_passed,
        tags=tagged.tags,
        transitive_tag_keys=tagged.transitive_keys,
        source_identity=vouched.source_identity,
        federated_provider=vouched.provider_arn,
        context={
            **{key.lower(): value for key, value in vouched.keys.items() if isinstance(value, str)},
            **vouched.context.keys(),
        },
        assumed_by=vouched.provider_arn,
    )
    answered = assumable.answer(call, row, session, minimum_token_size=asked.minimum_token_size)
    return answered | vouched.context.members()


def trusted_context(
    definition: str | None, claims: Mapping[str, object], *, provider_arn: str, issuer: str = ""
) -> TrustedContext:
    """Read the trusted context out of what a provider says; raises InvalidIdentityToken where a value is too long."""
    try:
        return context_providers.trusted_context(definition, claims, provider_arn=provider_arn, issuer=issuer)
    except context_providers.ClaimTooLong as fault:
        raise errors.InvalidIdentityToken(str(fault)) from fault


def _require_limits(vouched: Vouched, tags: Sequence[Mapping[str, str]]) -> None:
    """Hold what a provider passes to what AssumeRole's model lets a caller pass; raises InvalidIdentityToken.

    A provider's token or assertion must not make a session that no caller could ask for, such as one whose source identity
    looks like somebody else's in the trail.
    """
    passed: dict[str, object] = {
        "RoleSessionName": vouched.session_name,
        "Tags": tags,
        "TransitiveTagKeys": vouched.transitive_tag_keys,
        "SourceIdentity": vouched.source_identity or None,
    }
    # What AssumeRole requires (a role's ARN) is not the provider's to say.
    broken = [each for each in model_limits.violations(_asking(), passed) if each.kind != "required"]
    if broken:
        raise errors.InvalidIdentityToken(validate.summary(broken))


@cache
def _asking() -> Shape:
    """Return what AssumeRole takes."""
    shape = models.service("sts").operations["AssumeRole"].input
    if shape is None:
        raise LookupError("AssumeRole takes no parameters in the model of STS")
    return shape


def _seconds(asked: RequestedSession) -> int | None:
    """Return how long the session may last: the shorter of what the call and the provider say (API_AssumeRoleWithSAML)."""
    if asked.longest_seconds is None:
        return asked.duration_seconds
    # The provider's own session is the outer limit, whatever the call asks for.
    return min(asked.duration_seconds or assumable.DEFAULT_SECONDS, asked.longest_seconds)


def _trusting(call: Call, role: Assumable, vouched: Vouched, tags: Sequence[Mapping[str, str]]) -> RoleRow:
    refusal = errors.AccessDenied(f"Not authorized to perform {vouched.action}")
    actions = [vouched.action]
    actions += ["sts:TagSession"] if tags else []
    actions += ["sts:SetSourceIdentity"] if vouched.source_identity else []
    # One refusal for all reasons: a stranger must not learn which roles there are.
    if role.row is None or not all(_is_allowed(call, role, vouched, action, tags) for action in actions):
        raise refusal
    return role.row


def _is_allowed(call: Call, role: Assumable, vouched: Vouched, action: str, tags: Sequence[Mapping[str, str]]) -> bool:
    keys: dict[str, ContextValue] = {**vouched.trust_keys, **vouched.keys, "sts:RoleSessionName": vouched.session_name}
    keys["aws:FederatedProvider"] = vouched.provider_arn
    if vouched.transitive_tag_keys:
        keys["sts:TransitiveTagKeys"] = tuple(vouched.transitive_tag_keys)
    if vouched.source_identity:
        keys["sts:SourceIdentity"] = vouched.source_identity
    target = assumable.target_of(call, role, keys)
    # Nobody of any account: only a trust policy that names the provider itself can mean them.
    caller = policy.PolicyPrincipal(vouched.kind, names=(vouched.provider_arn,))
    request = policy.PolicyRequest(caller, action, role.arn, context.of_call(call, target, {"tags": tags}))
    applicable = Applicable(
        resource=target.policy,
        resource_role=ResourcePolicyRole.TRUST,
        resource_account_id=role.account_id,
        resource_control=authorize.resource_controls(call, action, target),
    )
    return policy.authorize(request, applicable).allowed
