"""AssumeRoleWithWebIdentity: somebody with a token of an OpenID Connect provider takes on a role that trusts the provider."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials import web_identities
from crownkeep.credentials.context_providers import TrustedContext
from crownkeep.credentials.web_identities import WebIdentity
from crownkeep.domain.credentials import outbound_identity
from crownkeep.domain.federation import provider_keys
from crownkeep.domain.federation.outside import Reach
from crownkeep.domain.federation.provider_keys import Fetched
from crownkeep.operations.call import Call, Result
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.operations.registry import Effect, Permission
from crownkeep.policy import ContextValue, PolicyPrincipalKind
from crownkeep.principals import FederatedIdentity
from crownkeep.services.sts import assumable, federation, provider_claims
from crownkeep.services.sts.assumable import Assumable
from crownkeep.services.sts.federation import RequestedSession, Vouched
from crownkeep.services.sts.service import sts
from crownkeep.services.sts.session_policies import Descriptors
from crownkeep.storage.federation import oidc_providers
from crownkeep.storage.federation.oidc_providers import OidcProviderRow

_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)
_SCHEME = "https://"


def ask_for_keys(call: Call, *, role_arn: str, web_identity_token: str, **_: object) -> Fetched | OutboundCall | None:
    """Return the keys of the provider that a token claims to come from, or the outbound call that asks for them.

    None where there is nobody to ask: the handler says why. Only a provider that the role's account has registered is ever asked,
    and none where the token is of an account of this very house.
    """
    try:
        claimed = web_identities.claimed(web_identity_token)
    except web_identities.InvalidWebIdentity:
        return None
    provider = _provider(call, assumable.targeted(call, role_arn).account_id, claimed.issuer)
    if provider is None:
        return None
    # A token of this house is verified with keys from the database: the server must not call itself.
    own = outbound_identity.own_keys(call.db, call.settings, claimed.issuer, now=call.now)
    if own is not None:
        return Fetched(own, 0.0, 0.0)
    return provider_keys.wanted(provider, claimed.key_id, Reach.of(call.settings))


@sts.operation(
    "AssumeRoleWithWebIdentity",
    resource=assumable.vouched_for,
    permission=Permission.NONE,  # The trust policy alone decides, in the handler.
    effect=Effect.STATE,
    prepare=ask_for_keys,
)
def assume_role_with_web_identity(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    web_identity_token: str,
    provider_id: str | None = None,
    policy_arns: Descriptors = (),
    policy: str | None = None,
    duration_seconds: int | None = None,
    minimum_session_token_size: int | None = None,
) -> Result:
    """Issue credentials of a session of the role to whoever the provider vouches for (API_AssumeRoleWithWebIdentity)."""
    if provider_id is not None:
        # AWS takes it for OAuth 2.0 access tokens of two providers only, and refuses it beside an ID token.
        raise errors.ValidationError("ProviderId is only for OAuth 2.0 access tokens, which are not accepted.")
    role = assumable.targeted(call, role_arn)
    call.notes.account_id = role.account_id
    # Verified in the transaction, with the provider as it is now; only the keys were fetched before.
    provider, identity = _verified(call, role.account_id, web_identity_token)
    principal_id = f"{provider.arn}:{identity.audience}:{identity.subject}"
    call.notes.federated = FederatedIdentity("WebIdentityUser", principal_id, identity.subject, provider.arn)
    vouched = Vouched(
        kind=PolicyPrincipalKind.WEB_IDENTITY,
        action="sts:AssumeRoleWithWebIdentity",
        provider_arn=provider.arn,
        session_name=role_session_name,
        keys=_keys(provider, identity),
        tags=identity.tags or {},
        transitive_tag_keys=identity.transitive_tag_keys,
        source_identity=identity.source_identity,
        trust_keys=_trust_keys(role, provider, identity),
        context=_trusted_context(provider, identity),
    )
    asked = RequestedSession(policy, policy_arns, duration_seconds, None, minimum_session_token_size)
    return {
        **federation.take_on(call, role, vouched, asked),
        "SubjectFromWebIdentityToken": identity.subject,
        "Provider": provider.arn,
        "Audience": identity.audience,
    }


def _trusted_context(provider: OidcProviderRow, identity: WebIdentity) -> TrustedContext:
    return federation.trusted_context(provider.context_provider, identity.claims, provider_arn=provider.arn, issuer=provider.url)


def _verified(call: Call, account_id: str, token: str) -> tuple[OidcProviderRow, WebIdentity]:
    """Return the provider and what its token says; raises InvalidIdentityToken and ExpiredTokenException in AWS's words."""
    try:
        claimed = web_identities.claimed(token)
        provider = _provider(call, account_id, claimed.issuer)
        if provider is None:
            raise errors.InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {claimed.issuer}")
        keys = call.prepared.published() if isinstance(call.prepared, Fetched) else ()
        issuer = f"{_SCHEME}{provider.url}"
        identity = web_identities.verify(token, keys, issuer=issuer, client_ids=provider.client_ids, now=call.now)
    except (web_identities.UnknownKey, provider_keys.ProviderUnreachable) as fault:
        raise errors.InvalidIdentityToken(_NO_KEY) from fault
    except web_identities.ExpiredWebIdentity as fault:
        raise errors.ExpiredIdentityToken(str(fault)) from fault
    except web_identities.InvalidWebIdentity as fault:
        raise errors.InvalidIdentityToken(str(fault)) from fault
    return provider, identity


def _provider(call: Call, account_id: str, issuer: str) -> OidcProviderRow | None:
    if not issuer.startswith(_SCHEME):
        return None
    # Providers are kept without the scheme, as AWS's ARNs have them.
    return oidc_providers.with_url(call.db, account_id, issuer[len(_SCHEME) :])


def _trust_keys(role: Assumable, provider: OidcProviderRow, identity: WebIdentity) -> dict[str, ContextValue]:
    """Return what the trust policy alone may ask about; raises InvalidIdentityToken for a token that is not for this role.

    A token that was made for one role must not open another that trusts its provider, whatever trust policies say.
    """
    # Before the trust policy, which may be wider than what the provider meant.
    if identity.roles is not None and role.arn not in identity.roles:
        raise errors.InvalidIdentityToken("The role is not among those that the identity provider authorized")
    authorized = "false" if identity.roles is None else "true"
    return {**provider_claims.of_token(provider.url, identity), "sts:RoleAuthorizedByIdp": authorized}


def _keys(provider: OidcProviderRow, identity: WebIdentity) -> dict[str, ContextValue]:
    """Return the condition keys that begin with the provider's URL."""
    keys: dict[str, ContextValue] = {
        f"{provider.url}:aud": identity.audience,
        f"{provider.url}:sub": identity.subject,
    }
    if identity.methods:
        keys[f"{provider.url}:amr"] = identity.methods
    if identity.email is not None:
        keys[f"{provider.url}:email"] = identity.email
    return keys
