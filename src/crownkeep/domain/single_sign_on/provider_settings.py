"""Identity providers of people as they are set and shown: checked, their secret sealed, everybody signed out with a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crownkeep import clock, errors
from crownkeep.credentials import saml_assertions, saml_metadata
from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.credentials.saml_metadata import UnusableMetadata
from crownkeep.credentials.saml_requests import ServiceProvider
from crownkeep.credentials.secret import Secret
from crownkeep.domain.federation import openid_providers
from crownkeep.domain.federation.openid_providers import PublishedProvider, Unpublished
from crownkeep.domain.federation.outside import Reach
from crownkeep.operations import sealed
from crownkeep.operations.call import Call
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.single_sign_on.external_providers import (
    ExternalProviderRow,
    MatchBy,
    ProviderKind,
    UnknownPeople,
)
from crownkeep.storage.single_sign_on.instances import InstanceRow

NAME_ID = "NameID"
"""What is compared of an assertion where nothing else is said: its subject."""

_LONGEST_NAME = 64
_SUBJECT = "sub"
_SCOPES = ("openid", "profile", "email")
_DEFAULT_MATCH = {ProviderKind.OIDC: MatchBy.EXTERNAL_ID, ProviderKind.SAML: MatchBy.USER_NAME}
_DEFAULT_ATTRIBUTE = {ProviderKind.OIDC: _SUBJECT, ProviderKind.SAML: NAME_ID}


@dataclass(frozen=True, slots=True)
class People:
    """Who of the provider's is which person of ours; None for what each protocol has by default."""

    match_by: str | None = None
    match_attribute: str | None = None
    unknown_people: str | None = None


def start_address(url: str, store_id: str) -> str:
    """Return the start URL of an identity store."""
    return f"{url}/start/{store_id}"


def redirect_uri(url: str, store_id: str) -> str:
    """Return where an OpenID Connect provider sends codes: another address for each store, so that none is sent another's."""
    return f"{start_address(url, store_id)}/oidc"


def service_provider(url: str, store_id: str) -> ServiceProvider:
    """Return as what a SAML provider knows us: each identity store is one of its own."""
    start = start_address(url, store_id)
    return ServiceProvider(f"{start}/saml/metadata", f"{start}/saml/acs")


def ask_openid(call: Call, issuer: str, account_id: str) -> PublishedProvider | Unpublished | OutboundCall | None:
    """Return what a provider publishes, or the call that asks for it; for the step before the transaction."""
    return openid_providers.wanted(issuer, account_id, Reach.of(call.settings)) if openid_providers.is_issuer(issuer) else None


def set_openid(
    call: Call,
    instance: InstanceRow,
    *,
    name: str | None,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    scopes: Sequence[str],
    people: People,
) -> ExternalProviderRow:
    """Have an instance's people sign in with an OpenID Connect provider; raises ValidationException where it can't be used."""
    if not openid_providers.is_issuer(issuer):
        raise errors.ServiceValidation("The issuer is an https address without a query, as the provider's metadata spells it.")
    # The provider was asked before the transaction began, so no lock is held while it takes its time.
    if isinstance(call.prepared, Unpublished):
        raise errors.ServiceValidation(f"The provider does not say what it must at {issuer}: {call.prepared.why}")
    # Without `openid` there would be no ID token, so it is always among the scopes and never twice.
    wanted = tuple(dict.fromkeys((*_SCOPES[:1], *(scopes or _SCOPES[1:]))))
    if not client_id.isprintable() or not all(each.isascii() and each.isprintable() and " " not in each for each in wanted):
        raise errors.ServiceValidation("The client id and the scopes hold letters that can be seen.")
    row = _row(call, instance, ProviderKind.OIDC, name or issuer, issuer, people)
    # A client without a secret is a public one, which PKCE alone protects.
    secret = None
    if client_secret is not None:
        # The seal is bound to this provider, so that the secret can't be moved to one that somebody else controls.
        place = {"account_id": row.account_id, "provider_id": row.provider_id}
        secret = sealed.seal_client_secret(call.keyring, Secret(client_secret), **place)
    return _put(call, instance, replace(row, client_id=client_id, scopes=wanted, sealed_secret=secret))


def set_saml(call: Call, instance: InstanceRow, *, name: str | None, document: str, people: People) -> ExternalProviderRow:
    """Have an instance's people sign in with a SAML provider; raises ValidationException for metadata that can't be used."""
    # The library is an extra; it is better to refuse now than at everybody's sign-in.
    if not saml_assertions.is_available():
        raise errors.Conflict("SAML can't be verified here: install `crownkeep[saml]`.")
    try:
        metadata = saml_metadata.read(document)
    except UnusableMetadata as error:
        raise errors.ServiceValidation(
            "The document is not the metadata of one SAML identity provider with a certificate."
        ) from error
    # Sign-in begins here with a redirect, and without an address there is nowhere to send people.
    if not metadata.sign_in_address:
        raise errors.ServiceValidation("The metadata names no https address that takes requests by HTTP-Redirect.")
    if not metadata.entity_id.isprintable():
        raise errors.ServiceValidation("The entity id holds letters that can't be seen.")
    row = _row(call, instance, ProviderKind.SAML, name or metadata.entity_id, metadata.entity_id, people)
    return _put(call, instance, replace(row, document=document))


def unset(call: Call, instance: InstanceRow) -> None:
    """Have an instance's people sign in with what they have here again; raises ResourceNotFoundException."""
    if not external_providers.remove(call.db, instance.identity_store_id):
        raise errors.ResourceNotFound("The identity store has no external identity provider.")
    _sign_out(call, instance)


def require_none(call: Call, store_id: str) -> None:
    """Refuse to change what people sign in with here while they don't; raises ConflictException."""
    # A password set here would do nothing, and whoever sets one should learn so.
    if external_providers.id_of_store(call.db, store_id):
        raise errors.Conflict("People sign in with an external identity provider: passwords and MFA devices are there.")


def described(call: Call, row: ExternalProviderRow) -> dict[str, object]:
    """Describe a provider by the API's names, and what it is to be told about us; never its secret."""
    ours = service_provider(call.settings.url, row.identity_store_id)
    found: dict[str, object] = {
        "ConfigurationId": row.provider_id,
        "Type": row.kind.value,
        "Name": row.name,
        "Issuer": row.issuer,
        "MatchBy": row.match_by.value,
        "MatchAttribute": row.match_attribute,
        "UnknownPeople": row.unknown_people.value,
        "ChangedAt": row.changed_at,
        "StartUrl": start_address(call.settings.url, row.identity_store_id),
    }
    if row.kind is ProviderKind.OIDC:
        return found | {
            "ClientId": row.client_id,
            # Whether there is one is all that is shown: a secret goes in and never comes out.
            "HasClientSecret": row.sealed_secret is not None,
            "Scopes": list(row.scopes),
            "RedirectUri": redirect_uri(call.settings.url, row.identity_store_id),
        }
    return found | {"ServiceProviderEntityId": ours.entity_id, "AssertionConsumerServiceUrl": ours.consumer}


def _row(call: Call, instance: InstanceRow, kind: ProviderKind, name: str, issuer: str, people: People) -> ExternalProviderRow:
    # The subject is the safest default: a provider gives it to one person only.
    attribute = people.match_attribute or _DEFAULT_ATTRIBUTE[kind]
    if not attribute.isprintable():
        raise errors.ServiceValidation("The attribute's name holds letters that can't be seen.")
    return ExternalProviderRow(
        identity_store_id=instance.identity_store_id,
        account_id=instance.account_id,
        # A new id with every change. What was bound to the provider of before, such as a sign-in under way, fits no more.
        provider_id=clock.token_bytes(16).hex(),
        kind=kind,
        name=name[:_LONGEST_NAME],
        issuer=issuer,
        client_id="",
        scopes=(),
        document="",
        sealed_secret=None,
        match_by=MatchBy(people.match_by) if people.match_by else _DEFAULT_MATCH[kind],
        match_attribute=attribute,
        # Strangers are refused unless somebody has decided otherwise.
        unknown_people=UnknownPeople(people.unknown_people or UnknownPeople.REFUSE.value),
        changed_at=call.now,
    )


def _put(call: Call, instance: InstanceRow, row: ExternalProviderRow) -> ExternalProviderRow:
    external_providers.put(call.db, row)
    _sign_out(call, instance)
    return row


def _sign_out(call: Call, instance: InstanceRow) -> None:
    """End whatever was opened by the way of before: nobody is vouched for by a provider that is trusted no more.

    Links for passwords end too, with the provider's arrival and once more with its departure: a link asked for while the provider
    was being set would otherwise open for the rest of its hour.
    """
    one_time_links.remove_all(call.db, instance.account_id, purpose=LinkPurpose.SET_PERSON_PASSWORD)
    ended = external_providers.end_sessions(call.db, instance.account_id, instance.identity_store_id, at=call.now)
    # The record says how many were signed out.
    call.notes.additional["EndedSessions"] = ended
