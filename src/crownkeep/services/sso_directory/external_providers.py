"""The identity provider elsewhere with which an identity store's people sign in: set, shown and removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crownkeep import errors
from crownkeep.domain.federation.openid_providers import PublishedProvider, Unpublished
from crownkeep.domain.single_sign_on import provider_settings
from crownkeep.domain.single_sign_on.provider_settings import People
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.operations.registry import Effect
from crownkeep.services.sso_directory import targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.storage.accounts import accounts
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.single_sign_on.instances import InstanceRow

_NOT_DELEGATED = "A delegated administrator can't change by whom people of the management account are signed in."


def ask_provider(
    call: Call, *, identity_store_id: str, oidc: Mapping[str, Any] | None = None, **_: object
) -> PublishedProvider | Unpublished | OutboundCall | None:
    """Ask an OpenID Connect provider what it publishes, before the transaction; None where there is nobody to ask."""
    return None if oidc is None else provider_settings.ask_openid(call, str(oidc["Issuer"]), call.account_id)


@sso_directory.operation(
    "CreateExternalIdPConfigurationForDirectory", resource=targets.store, effect=Effect.STATE, prepare=ask_provider
)
def create_external_idp_configuration_for_directory(
    call: Call,
    *,
    identity_store_id: str,
    name: str | None = None,
    oidc: Mapping[str, Any] | None = None,
    saml: Mapping[str, Any] | None = None,
    match_by: str | None = None,
    match_attribute: str | None = None,
    unknown_people: str | None = None,
) -> Result:
    """Have people sign in with this provider, in the place of whatever was before; everybody is signed out."""
    instance = _own(call)
    people = People(match_by, match_attribute, unknown_people)
    if oidc is not None and saml is None:
        row = provider_settings.set_openid(
            call,
            instance,
            name=name,
            issuer=oidc["Issuer"],
            client_id=oidc["ClientId"],
            client_secret=oidc.get("ClientSecret"),
            scopes=oidc.get("Scopes", ()),
            people=people,
        )
    elif saml is not None and oidc is None:
        row = provider_settings.set_saml(call, instance, name=name, document=saml["MetadataDocument"], people=people)
    else:
        raise errors.ServiceValidation("Give either Oidc or Saml.")
    return provider_settings.described(call, row)


@sso_directory.operation("ListExternalIdPConfigurationsForDirectory", resource=targets.store)
def list_external_idp_configurations_for_directory(call: Call, *, identity_store_id: str) -> Result:
    """List the provider of a store, which has one at most; its secret is not shown."""
    instance = targets.required_store(call)
    row = external_providers.of_store(call.db, instance.identity_store_id)
    return {"Configurations": [] if row is None else [provider_settings.described(call, row)]}


@sso_directory.operation("DeleteExternalIdPConfigurationForDirectory", resource=targets.store, effect=Effect.STATE)
def delete_external_idp_configuration_for_directory(call: Call, *, identity_store_id: str) -> Result:
    """Have people sign in with their passwords and devices here again; everybody is signed out."""
    provider_settings.unset(call, _own(call))
    return NOTHING


@sso_directory.operation(
    "DeleteExternalIdPLinkForUser",
    resource=targets.user,
    action="sso-directory:UpdateExternalIdPConfigurationForDirectory",
    effect=Effect.STATE,
)
def delete_external_idp_link_for_user(call: Call, *, identity_store_id: str, user_id: str) -> Result:
    """Forget who of the provider's is a person of ours; whom the provider names so next becomes them. Their sessions end."""
    found = targets.changeable(call)
    external_providers.unlink(call.db, found.user.identity_store_id, found.user.user_id)
    person = found.person
    # Whoever the link was to may be signed in as this person right now.
    browser_sessions.end_others(call.db, person.account_id, person.unique_id, but=b"", at=call.now)
    return NOTHING


def _own(call: Call) -> InstanceRow:
    """Return the instance, held for a change, of the caller's own account: its provider could be anybody in it."""
    instance = targets.required_store(call)
    if call.account_id != instance.account_id:
        raise errors.AccessDenied(_NOT_DELEGATED)
    accounts.hold(call.db, instance.account_id)
    return instance
