"""AssumeRoleWithSAML: somebody with an assertion of a SAML provider takes on a role that trusts the provider."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.credentials import saml_assertions, saml_metadata
from crownkeep.credentials.saml_assertions import SamlAssertion
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission
from crownkeep.policy import ContextValue, PolicyPrincipalKind
from crownkeep.principals import FederatedIdentity
from crownkeep.services.sts import assumable, federation, provider_claims
from crownkeep.services.sts.assumable import Assumable
from crownkeep.services.sts.federation import RequestedSession, Vouched
from crownkeep.services.sts.service import sts
from crownkeep.services.sts.session_policies import Descriptors
from crownkeep.storage.federation import redeemed_assertions, saml_providers
from crownkeep.storage.federation.saml_providers import SamlProviderRow

_AUDIENCES = ("https://signin.aws.amazon.com/saml", "urn:amazon:webservices")
_SHORTEST_SECONDS, _LONGEST_SECONDS = 900, 43_200


@dataclass(frozen=True, slots=True)
class VerifiedResponse:
    """What came of verifying a response against a provider's metadata document, before the transaction."""

    document: str
    assertion: SamlAssertion | saml_assertions.InvalidAssertion | saml_assertions.SamlUnavailable


def verify_assertion(
    call: Call, *, role_arn: str, principal_arn: str, saml_assertion: str, **_: object
) -> VerifiedResponse | None:
    """Verify a response outside the transaction, for it takes a while; None where there is no such provider."""
    provider = _provider(call, assumable.targeted(call, role_arn), principal_arn)
    if provider is None:
        return None
    # AWS's own addresses, as providers are set up for AWS, and this server's.
    audiences = (*_AUDIENCES, f"{call.settings.url}/saml")
    try:
        metadata = saml_metadata.read(provider.document)
        assertion = saml_assertions.verify(saml_assertion, metadata, audiences=audiences, now=call.now)
    except (saml_assertions.InvalidAssertion, saml_assertions.SamlUnavailable) as fault:
        return VerifiedResponse(provider.document, fault)
    return VerifiedResponse(provider.document, assertion)


@sts.operation(
    "AssumeRoleWithSAML",
    resource=assumable.vouched_for,
    permission=Permission.NONE,  # The trust policy alone decides, in the handler.
    effect=Effect.STATE,
    prepare=verify_assertion,
)
def assume_role_with_saml(
    call: Call,
    *,
    role_arn: str,
    principal_arn: str,
    saml_assertion: str,
    policy_arns: Descriptors = (),
    policy: str | None = None,
    duration_seconds: int | None = None,
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue credentials of a session of the role to whoever the provider vouches for (API_AssumeRoleWithSAML)."""
    role = assumable.targeted(call, role_arn)
    call.notes.account_id = role.account_id
    provider = _valid_provider(call, role, principal_arn)
    assertion = _verified(call, provider)
    qualifier = _name_qualifier(provider, assertion)
    call.notes.federated = FederatedIdentity("SAMLUser", f"{qualifier}:{assertion.subject}", assertion.subject, qualifier)
    # The assertion itself is a secret while it can be used; its id and what it says of the session are not.
    call.notes.parameters["sAMLAssertionID"] = assertion.id
    try:
        vouched = _vouched(provider, assertion, qualifier)
    except saml_assertions.InvalidAssertion as fault:
        raise errors.InvalidIdentityToken(str(fault)) from fault
    call.notes.parameters["roleSessionName"] = vouched.session_name
    # The assertion itself must name this role with this provider: its signature alone opens nothing.
    if not {(role.arn, provider.arn), (provider.arn, role.arn)} & set(assertion.roles):
        raise errors.AccessDenied("Not authorized to perform sts:AssumeRoleWithSAML")
    # Before credentials are made, and undone with them where the call is refused later.
    _redeem(call, provider, assertion)
    longest = _longest_seconds(call, assertion)
    asked = RequestedSession(policy, policy_arns, duration_seconds, longest, minimum_session_token_size)
    return {
        **federation.take_on(call, role, vouched, asked),
        "Subject": assertion.subject,
        "SubjectType": assertion.subject_format,
        "Issuer": assertion.issuer,
        "Audience": assertion.recipient,
        "NameQualifier": qualifier,
    }


def _valid_provider(call: Call, role: Assumable, principal_arn: str) -> SamlProviderRow:
    """Return the provider whose assertion this is to be; raises InvalidIdentityToken where it can vouch for nobody."""
    provider = _provider(call, role, principal_arn)
    if provider is None:
        raise errors.InvalidIdentityToken("Specified provider doesn't exist")
    if provider.valid_until <= call.now:
        raise errors.InvalidIdentityToken("The metadata of the specified provider has expired")
    return provider


def _provider(call: Call, role: Assumable, principal_arn: str) -> SamlProviderRow | None:
    """Return the provider, which must be of the role's own account."""
    return saml_providers.with_arn(call.db, role.account_id, principal_arn)


def _verified(call: Call, provider: SamlProviderRow) -> SamlAssertion:
    found = call.prepared
    # The metadata was exchanged between verification and transaction: what was verified proves nothing now.
    if not isinstance(found, VerifiedResponse) or found.document != provider.document:
        raise errors.InvalidIdentityToken("Response signature invalid")
    match found.assertion:
        case saml_assertions.SamlUnavailable():
            raise errors.ServiceUnavailable("SAML assertions can't be verified here: install `crownkeep[saml]`.")
        case saml_assertions.ExpiredAssertion() as fault:
            raise errors.ExpiredIdentityToken(str(fault))
        case saml_assertions.InvalidAssertion() as fault:
            raise errors.InvalidIdentityToken(str(fault))
        case assertion:
            return assertion


def _redeem(call: Call, provider: SamlProviderRow, assertion: SamlAssertion) -> None:
    """Use an assertion up; raises InvalidIdentityToken for one that was used before.

    AWS takes an assertion as often as it comes within five minutes, and has no error for a second use. Of the two that it has for
    assertions, this one makes clients ask the provider for another, and doesn't say that time has run out.
    """
    # The provider's id is a part of it: ids of assertions are unique to their provider alone.
    digest = hashlib.sha256(f"{provider.provider_id} {assertion.id}".encode()).digest()
    expires_at = assertion.redeemable_until
    if not redeemed_assertions.redeem(call.db, provider.account_id, digest, expires_at=expires_at, now=call.now):
        raise errors.InvalidIdentityToken("The assertion has been used before")


def _vouched(provider: SamlProviderRow, assertion: SamlAssertion, qualifier: str) -> Vouched:
    name, _ = arn.name_and_path(provider.arn.split(":", 5)[5])
    keys: dict[str, ContextValue] = {
        "saml:aud": assertion.recipient,
        "saml:iss": assertion.issuer,
        "saml:sub": assertion.subject,
        "saml:sub_type": assertion.subject_format,
        "saml:namequalifier": qualifier,
        "saml:doc": f"{provider.account_id}/{name}",
    }
    return Vouched(
        kind=PolicyPrincipalKind.SAML,
        action="sts:AssumeRoleWithSAML",
        provider_arn=provider.arn,
        session_name=assertion.session_name,
        keys=keys,
        tags=assertion.tags,
        transitive_tag_keys=assertion.attributes.get(f"{saml_assertions.ATTRIBUTES}TransitiveTagKeys", ()),
        source_identity=assertion.first("SourceIdentity") or "",
        trust_keys=provider_claims.of_attributes(assertion.attributes),
        context=federation.trusted_context(
            provider.context_provider, {"NameID": assertion.subject, **assertion.attributes}, provider_arn=provider.arn
        ),
    )


def _name_qualifier(provider: SamlProviderRow, assertion: SamlAssertion) -> str:
    """Return the hash of issuer, account and provider that tells their subjects apart (API_AssumeRoleWithSAML)."""
    name, _ = arn.name_and_path(provider.arn.split(":", 5)[5])
    text = f"{assertion.issuer}{provider.account_id}/{name}"
    # SHA-1 because AWS's NameQualifier is one, which policies compare; nothing rests on its strength.
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _longest_seconds(call: Call, assertion: SamlAssertion) -> int | None:
    """Return how long the provider lets a session last; raises InvalidIdentityToken for a length that none can have."""
    if assertion.session_ends_at is None:
        return None
    left = int((assertion.session_ends_at - call.now).total_seconds())
    if left < _SHORTEST_SECONDS:
        raise errors.ExpiredIdentityToken("The provider's own session ends too soon")
    return min(left, _LONGEST_SECONDS)
