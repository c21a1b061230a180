"""The identity provider with which an organization's people sign in, as the operator sets, shows and removes it.

A provider that is gone, or that vouches for the wrong people, is removed here by whoever runs the server: nobody has to sign in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain.federation.openid_providers import PublishedProvider, Unpublished
from crownkeep.domain.single_sign_on import provider_settings
from crownkeep.domain.single_sign_on.provider_settings import People
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.operations.registry import Effect
from crownkeep.services.operator.service import operator
from crownkeep.services.operator.single_sign_on import required_instance
from crownkeep.storage.accounts import accounts
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.single_sign_on.instances import InstanceRow

_NAMES: Mapping[str, str] = {
    "ConfigurationId": "configuration_id",
    "Type": "type",
    "Name": "name",
    "Issuer": "issuer",
    "ClientId": "client_id",
    "HasClientSecret": "has_client_secret",
    "Scopes": "scopes",
    "MatchBy": "match_by",
    "MatchAttribute": "match_attribute",
    "UnknownPeople": "unknown_people",
    "ChangedAt": "changed_at",
    "StartUrl": "start_url",
    "RedirectUri": "redirect_uri",
    "ServiceProviderEntityId": "service_provider_entity_id",
    "AssertionConsumerServiceUrl": "assertion_consumer_service_url",
}


def ask_issuer(call: Call, *, account_id: str, issuer: str, **_: object) -> PublishedProvider | Unpublished | OutboundCall | None:
    """Ask the provider what it publishes, before the transaction."""
    return provider_settings.ask_openid(call, issuer, account_id)


@operator.operation("SetOpenIdProvider", resource=registry.everything, effect=Effect.STATE, prepare=ask_issuer)
def set_open_id_provider(
    call: Call,
    *,
    account_id: str,
    issuer: str,
    client_id: str,
    client_secret: str | None = None,
    scopes: Sequence[str] = (),
    name: str | None = None,
    match_by: str | None = None,
    match_attribute: str | None = None,
    unknown_people: str | None = None,
) -> Result:
    """Have people sign in with an OpenID Connect provider; everybody is signed out."""
    row = provider_settings.set_openid(
        call,
        _held(call, account_id),
        name=name,
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        scopes=scopes,
        people=People(match_by, match_attribute, unknown_people),
    )
    return _spelled(provider_settings.described(call, row))


@operator.operation("SetSamlProvider", resource=registry.everything, effect=Effect.STATE)
def set_saml_provider(
    call: Call,
    *,
    account_id: str,
    metadata: str,
    name: str | None = None,
    match_by: str | None = None,
    match_attribute: str | None = None,
    unknown_people: str | None = None,
) -> Result:
    """Have people sign in with a SAML provider; everybody is signed out."""
    people = People(match_by, match_attribute, unknown_people)
    row = provider_settings.set_saml(call, _held(call, account_id), name=name, document=metadata, people=people)
    return _spelled(provider_settings.described(call, row))


@operator.operation("GetIdentityProvider", resource=registry.everything)
def get_identity_provider(call: Call, *, account_id: str) -> Result:
    """Show the provider, and what it is told about us; its secret is not shown."""
    row = external_providers.of_store(call.db, required_instance(call, account_id).identity_store_id)
    if row is None:
        raise errors.ResourceNotFound(f"the people of account `{account_id}` sign in with no provider elsewhere")
    return _spelled(provider_settings.described(call, row))


@operator.operation("RemoveIdentityProvider", resource=registry.everything, effect=Effect.STATE)
def remove_identity_provider(call: Call, *, account_id: str) -> Result:
    """Have people sign in with their passwords and devices here again; everybody is signed out."""
    provider_settings.unset(call, _held(call, account_id))
    return NOTHING


def _held(call: Call, account_id: str) -> InstanceRow:
    # Held, so that of two settings of one provider the second sees the first.
    accounts.hold(call.db, account_id)
    return required_instance(call, account_id)


def _spelled(described: Mapping[str, object]) -> dict[str, object]:
    return {_NAMES[name]: value for name, value in described.items()}
