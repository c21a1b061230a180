"""OpenID Connect providers: whose tokens an account's roles may trust, for whom they must be, and how their servers are known."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from crownkeep import arn, clock, errors
from crownkeep.domain.federation import outside
from crownkeep.domain.federation.outside import OutOfReach, Reach
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.federation import context_providers
from crownkeep.services.iam.federation.context_providers import Sent
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.federation import oidc_providers
from crownkeep.storage.federation.oidc_providers import OidcProviderRow
from crownkeep.storage.identities import tags

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::OIDCProvider"
_SCHEME = "https://"


def new_provider(
    call: Call, *, url: str, context_provider: Sent | None = None, identity_center_instance_arn: str | None = None, **_: object
) -> Target:
    """The provider to be made."""
    name = _without_scheme(url)
    keys = context_providers.condition_keys(
        context_provider=context_provider, requested_issuer=name, identity_center_instance_arn=identity_center_instance_arn
    )
    return Target(_arn(call.account_id, name), context=keys)


def named_provider(call: Call, *, open_id_connect_provider_arn: str, **_: object) -> Target:
    """The provider with this ARN."""
    row = oidc_providers.with_arn(call.db, call.account_id, open_id_connect_provider_arn)
    if row is None:
        return Target(open_id_connect_provider_arn, row=None)
    return Target(row.arn, tags=lambda: tagging.of(call, row.provider_id), row=row)


def provider_to_configure(
    call: Call,
    *,
    open_id_connect_provider_arn: str,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    **_: object,
) -> Target:
    """The provider, and what is asked of trusted identity propagation."""
    target = named_provider(call, open_id_connect_provider_arn=open_id_connect_provider_arn)
    issuer = target.row.url if isinstance(target.row, OidcProviderRow) else None
    keys = context_providers.condition_keys(
        context_provider=context_provider, present_issuer=issuer, identity_center_instance_arn=identity_center_instance_arn
    )
    return replace(target, context=keys)


def any_provider(call: Call, **_: object) -> Target:
    """The providers that the list may name, as AWS's refusals write it."""
    return Target(_arn(call.account_id, "*"))


def identifier() -> str:
    """Return a unique id for a provider, of which AWS shows none but a SAML provider's: 26 letters and digits."""
    return base64.b32encode(clock.token_bytes(16)).decode().rstrip("=")


def look_at_server(call: Call, *, url: str, thumbprint_list: Sequence[str] = (), **_: object) -> object:
    """Return the outbound call that reads the thumbprint of a new provider's server where the caller gave none."""
    # An address that the operation will refuse is not called.
    if thumbprint_list or not _is_valid(url):
        return None
    reach = Reach.of(call.settings)
    return OutboundCall(_top_thumbprint(url, reach), call.account_id)


def _top_thumbprint(url: str, reach: Reach) -> Callable[[], object]:
    def look() -> object:
        try:
            return outside.top_thumbprint(url, reach)
        except OutOfReach:
            return None

    return look


@iam.operation(
    "CreateOpenIDConnectProvider",
    resource=new_provider,
    effect=Effect.STATE,
    prepare=look_at_server,
    tagging=Tagging("iam:TagOpenIDConnectProvider"),
)
def create_open_id_connect_provider(
    call: Call,
    *,
    url: str,
    client_id_list: Sequence[str] = (),
    thumbprint_list: Sequence[str] = (),
    tags: Tags = (),
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
) -> Result:
    """Register a provider.

    Where no thumbprint is given and its server can't be reached to read one, none is kept: the server's certificate must then be
    one that the system trusts.
    """
    if not _is_valid(url):
        raise errors.ValidationError("Invalid Open ID Connect Provider URL")
    thumbprints = _checked_thumbprints(call, thumbprint_list)
    client_ids = _checked_client_ids(call, client_id_list)
    tagging.checked(tags)
    context_providers.refuse_instance(identity_center_instance_arn)
    context = context_providers.checked(context_provider)
    name = _without_scheme(url)
    if oidc_providers.with_url(call.db, call.account_id, name) is not None:
        raise errors.EntityAlreadyExists(f"Provider with url {url} already exists.")
    count = oidc_providers.count(call.db, call.account_id)
    quotas.require_room(call, count, quotas.OIDC_PROVIDERS, name="OpenIdConnectProvidersPerAccount")
    seen = (call.prepared,) if isinstance(call.prepared, str) else ()
    row = OidcProviderRow(
        identifier(), call.account_id, _arn(call.account_id, name), name, client_ids, thumbprints or seen, call.now, context
    )
    oidc_providers.add(call.db, row)
    tagged = tagging.put(call, row.provider_id, tags)
    _note(call, row)
    return {"OpenIDConnectProviderArn": row.arn, **tagging.members(tagged)}


@iam.operation("GetOpenIDConnectProvider", resource=named_provider)
def get_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str) -> Result:
    """Return a provider; its URL without `https://`, and lists also where they are empty."""
    row = _targeted(call, open_id_connect_provider_arn)
    _note(call, row)
    return {
        "Url": row.url,
        "ClientIDList": list(row.client_ids),
        "ThumbprintList": list(row.thumbprints),
        "CreateDate": row.created_at,
        "Tags": tagging.describe(tagging.of(call, row.provider_id)),
        **context_providers.members(row.context_provider),
    }


@iam.operation("ListOpenIDConnectProviders", resource=any_provider)
def list_open_id_connect_providers(call: Call) -> Result:
    """List the ARNs of all providers of the account; a quota keeps them few."""
    rows = oidc_providers.of_account(call.db, call.account_id)
    return {"OpenIDConnectProviderList": [{"Arn": row.arn, "IsTrustedIdentityPropagationEnabled": False} for row in rows]}


@iam.operation("DeleteOpenIDConnectProvider", resource=named_provider)
def delete_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str) -> Result:
    """Forget a provider; roles that trust it are left as they are. One that isn't there is no error, as on AWS."""
    row = call.target_row(OidcProviderRow)
    if row is None:
        # No error must not mean that anything goes: what is no provider's ARN is still refused.
        _require_provider_arn(open_id_connect_provider_arn)
        return NOTHING
    tags.remove_all(call.db, call.account_id, row.provider_id)
    oidc_providers.remove(call.db, call.account_id, row.provider_id)
    _note(call, row)
    return NOTHING


@iam.operation("UpdateOpenIDConnectProvider", resource=provider_to_configure, effect=Effect.STATE)
def update_open_id_connect_provider(
    call: Call,
    *,
    open_id_connect_provider_arn: str,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    remove_context_provider: bool = False,
    remove_identity_center_instance: bool = False,
) -> Result:
    """Set which claims of a provider's tokens become context keys of sessions, or that none do."""
    context_providers.change(
        context_provider,
        identity_center_instance_arn,
        removes_context=remove_context_provider,
        removes_instance=remove_identity_center_instance,
    )
    row = _targeted(call, open_id_connect_provider_arn)
    if context_provider is not None or remove_context_provider:
        context = context_providers.checked(context_provider)
        oidc_providers.set_context_provider(call.db, call.account_id, row.provider_id, context)
    _note(call, row)
    return NOTHING


@iam.operation("AddClientIDToOpenIDConnectProvider", resource=named_provider, effect=Effect.STATE)
def add_client_id_to_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, client_id: str) -> Result:
    """Let a provider's tokens be for one client more; once more is no error."""
    row = _targeted(call, open_id_connect_provider_arn)
    if client_id not in row.client_ids:
        client_ids = _checked_client_ids(call, [*row.client_ids, client_id])
        oidc_providers.set_client_ids(call.db, call.account_id, row.provider_id, client_ids)
    _note(call, row)
    return NOTHING


@iam.operation("RemoveClientIDFromOpenIDConnectProvider", resource=named_provider, effect=Effect.STATE)
def remove_client_id_from_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, client_id: str) -> Result:
    """Let a provider's tokens no longer be for a client; one that isn't there is no error."""
    row = _targeted(call, open_id_connect_provider_arn)
    client_ids = tuple(each for each in row.client_ids if each != client_id)
    oidc_providers.set_client_ids(call.db, call.account_id, row.provider_id, client_ids)
    _note(call, row)
    return NOTHING


@iam.operation("UpdateOpenIDConnectProviderThumbprint", resource=named_provider, effect=Effect.STATE)
def update_open_id_connect_provider_thumbprint(
    call: Call, *, open_id_connect_provider_arn: str, thumbprint_list: Sequence[str]
) -> Result:
    """Set which certificates a provider's server may be known by."""
    thumbprints = _checked_thumbprints(call, thumbprint_list)
    row = _targeted(call, open_id_connect_provider_arn)
    oidc_providers.set_thumbprints(call.db, call.account_id, row.provider_id, thumbprints)
    _note(call, row)
    return NOTHING


@iam.operation("TagOpenIDConnectProvider", resource=named_provider, effect=Effect.STATE)
def tag_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, tags: Tags) -> Result:
    """Add tags to a provider, or change them."""
    row = _targeted(call, open_id_connect_provider_arn)
    tagging.put(call, row.provider_id, tags)
    _note(call, row)
    return NOTHING


@iam.operation("UntagOpenIDConnectProvider", resource=named_provider, effect=Effect.STATE)
def untag_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a provider."""
    row = _targeted(call, open_id_connect_provider_arn)
    tagging.take(call, row.provider_id, tag_keys)
    _note(call, row)
    return NOTHING


@iam.operation("ListOpenIDConnectProviderTags", resource=named_provider)
def list_open_id_connect_provider_tags(
    call: Call, *, open_id_connect_provider_arn: str, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List a provider's tags by key."""
    row = _targeted(call, open_id_connect_provider_arn)
    return tagging.page(call, row.provider_id, list_name="ListOpenIDConnectProviderTags", marker=marker, max_items=max_items)


def _targeted(call: Call, provider_arn: str) -> OidcProviderRow:
    row = call.target_row(OidcProviderRow)
    if row is None:
        raise errors.NoSuchEntity(f"OpenIDConnect Provider not found for arn {provider_arn}")
    return row


def _require_provider_arn(text: str) -> None:
    parts = arn.parse(text)
    if parts is None or parts.service != "iam" or not parts.resource.startswith("oidc-provider/"):
        raise errors.InvalidInput(f"Invalid Open ID Connect Provider ARN: {text}")


def _arn(account_id: str, name: str) -> str:
    return arn.iam(account_id, f"oidc-provider/{name}")


def _without_scheme(url: str) -> str:
    return url[len(_SCHEME) :] if url[: len(_SCHEME)].lower() == _SCHEME else url


def _is_valid(url: str) -> bool:
    """Tell whether this can be an issuer: an HTTPS address without a query (OpenID Connect Discovery 1.0, section 2)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password) and url.isprintable() and " " not in url
    return parts.scheme == "https" and bool(parts.hostname) and plain and url.isascii() and port != 0


def _checked_thumbprints(call: Call, sent: Sequence[str]) -> tuple[str, ...]:
    most = quotas.of(call, quotas.THUMBPRINTS_PER_OIDC_PROVIDER)
    if len(sent) > most:
        raise errors.InvalidInput(f"Thumbprint list must contain fewer than {most} entries.")
    # The model has held each to 40 characters.
    if any(not each.isalnum() or not each.isascii() for each in sent):
        raise errors.InvalidInput("A thumbprint must be 40 hexadecimal digits.")
    return tuple(dict.fromkeys(each.lower() for each in sent))


def _checked_client_ids(call: Call, sent: Sequence[str]) -> tuple[str, ...]:
    quota = quotas.of(call, quotas.CLIENT_IDS_PER_OIDC_PROVIDER)
    if len(sent) > quota:
        raise errors.LimitExceeded(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {quota}")
    if any(not each.isprintable() for each in sent):
        raise errors.InvalidInput("A client ID must not contain control characters.")
    return tuple(dict.fromkeys(sent))


def _note(call: Call, row: OidcProviderRow) -> None:
    call.notes.resources.append((RESOURCE_TYPE, row.arn))
