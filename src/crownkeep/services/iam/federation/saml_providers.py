"""SAML providers: whose assertions an account's roles may trust, as their metadata documents say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from crownkeep import arn, errors
from crownkeep.credentials import saml_metadata
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.federation import context_providers, oidc_providers
from crownkeep.services.iam.federation.context_providers import Sent
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.federation import saml_providers
from crownkeep.storage.federation.saml_providers import SamlProviderRow
from crownkeep.storage.identities import tags

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::SAMLProvider"
_YEARS = 100
"""For how long a provider is good whose metadata doesn't say."""
_UNENCRYPTED = "Allowed"


def new_provider(
    call: Call,
    *,
    name: str,
    saml_metadata_document: str,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    **_: object,
) -> Target:
    """The provider to be made."""
    issuer = _issuer(saml_metadata_document)
    keys = context_providers.condition_keys(
        context_provider=context_provider, requested_issuer=issuer, identity_center_instance_arn=identity_center_instance_arn
    )
    return Target(_arn(call.account_id, name), context=keys)


def named_provider(call: Call, *, saml_provider_arn: str, **_: object) -> Target:
    """The provider with this ARN."""
    row = saml_providers.with_arn(call.db, call.account_id, saml_provider_arn)
    if row is None:
        return Target(saml_provider_arn, row=None)
    return Target(row.arn, tags=lambda: tagging.of(call, row.provider_id), row=row)


def provider_to_change(
    call: Call,
    *,
    saml_provider_arn: str,
    saml_metadata_document: str | None = None,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    **_: object,
) -> Target:
    """The provider, and what is asked of it and of trusted identity propagation."""
    target = named_provider(call, saml_provider_arn=saml_provider_arn)
    keys = context_providers.condition_keys(
        context_provider=context_provider,
        requested_issuer=_issuer(saml_metadata_document or ""),
        present_issuer=_issuer(target.row.document) if isinstance(target.row, SamlProviderRow) else None,
        identity_center_instance_arn=identity_center_instance_arn,
    )
    return replace(target, context=keys)


def any_provider(call: Call, **_: object) -> Target:
    """The providers that the list may name, as AWS's refusals write it."""
    return Target(_arn(call.account_id, "*"))


@iam.operation("CreateSAMLProvider", resource=new_provider, effect=Effect.STATE, tagging=Tagging("iam:TagSAMLProvider"))
def create_saml_provider(
    call: Call,
    *,
    saml_metadata_document: str,
    name: str,
    tags: Tags = (),
    assertion_encryption_mode: str | None = None,
    add_private_key: str | None = None,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
) -> Result:
    """Register a provider by its metadata document; encrypted assertions are not taken, so no key for them is either."""
    _refuse_encryption(assertion_encryption_mode, add_private_key)
    valid_until = _valid_until(call, saml_metadata_document)
    tagging.checked(tags)
    context_providers.refuse_instance(identity_center_instance_arn)
    if saml_providers.named(call.db, call.account_id, name) is not None:
        raise errors.EntityAlreadyExists(f"SAMLProvider with name {name} already exists.")
    count = saml_providers.count(call.db, call.account_id)
    quotas.require_room(call, count, quotas.SAML_PROVIDERS, name="SAMLProvidersPerAccount")
    row = SamlProviderRow(
        provider_id=oidc_providers.identifier(),
        account_id=call.account_id,
        arn=_arn(call.account_id, name),
        name_key=name.lower(),
        document=saml_metadata_document,
        created_at=call.now,
        valid_until=valid_until,
        context_provider=context_providers.checked(context_provider),
    )
    saml_providers.add(call.db, row)
    tagged = tagging.put(call, row.provider_id, tags)
    _note(call, row)
    return {"SAMLProviderArn": row.arn, **tagging.members(tagged)}


@iam.operation("GetSAMLProvider", resource=named_provider)
def get_saml_provider(call: Call, *, saml_provider_arn: str) -> Result:
    """Return a provider with its metadata; lists also where they are empty."""
    row = _targeted(call, saml_provider_arn)
    _note(call, row)
    return {
        "SAMLProviderUUID": row.provider_id,
        "SAMLMetadataDocument": row.document,
        "CreateDate": row.created_at,
        "ValidUntil": row.valid_until,
        "Tags": tagging.describe(tagging.of(call, row.provider_id)),
        "AssertionEncryptionMode": _UNENCRYPTED,
        "PrivateKeyList": [],
        **context_providers.members(row.context_provider),
    }


@iam.operation("ListSAMLProviders", resource=any_provider)
def list_saml_providers(call: Call) -> Result:
    """List all providers of the account; a quota keeps them few."""
    rows = saml_providers.of_account(call.db, call.account_id)
    listed = [
        {
            "Arn": row.arn,
            "ValidUntil": row.valid_until,
            "CreateDate": row.created_at,
            "IsTrustedIdentityPropagationEnabled": False,
        }
        for row in rows
    ]
    return {"SAMLProviderList": listed}


@iam.operation("UpdateSAMLProvider", resource=provider_to_change, effect=Effect.STATE)
def update_saml_provider(
    call: Call,
    *,
    saml_provider_arn: str,
    saml_metadata_document: str | None = None,
    assertion_encryption_mode: str | None = None,
    add_private_key: str | None = None,
    remove_private_key: str | None = None,
    context_provider: Sent | None = None,
    identity_center_instance_arn: str | None = None,
    remove_context_provider: bool = False,
    remove_identity_center_instance: bool = False,
) -> Result:
    """Set a provider's metadata document, or which attributes of its assertions become context keys of sessions."""
    _refuse_encryption(assertion_encryption_mode, add_private_key)
    context_providers.change(
        context_provider,
        identity_center_instance_arn,
        removes_context=remove_context_provider,
        removes_instance=remove_identity_center_instance,
        has_metadata=saml_metadata_document is not None or assertion_encryption_mode is not None,
    )
    row = _targeted(call, saml_provider_arn)
    if remove_private_key is not None:
        raise errors.NoSuchEntity(f"Private key {remove_private_key} cannot be found.")
    if saml_metadata_document is not None:
        valid_until = _valid_until(call, saml_metadata_document)
        saml_providers.set_metadata(call.db, call.account_id, row.provider_id, saml_metadata_document, valid_until=valid_until)
    if context_provider is not None or remove_context_provider:
        context = context_providers.checked(context_provider)
        saml_providers.set_context_provider(call.db, call.account_id, row.provider_id, context)
    _note(call, row)
    return {"SAMLProviderArn": row.arn}


@iam.operation("DeleteSAMLProvider", resource=named_provider)
def delete_saml_provider(call: Call, *, saml_provider_arn: str) -> Result:
    """Forget a provider; roles that trust it are left as they are."""
    row = _targeted(call, saml_provider_arn)
    tags.remove_all(call.db, call.account_id, row.provider_id)
    saml_providers.remove(call.db, call.account_id, row.provider_id)
    _note(call, row)
    return NOTHING


@iam.operation("TagSAMLProvider", resource=named_provider, effect=Effect.STATE)
def tag_saml_provider(call: Call, *, saml_provider_arn: str, tags: Tags) -> Result:
    """Add tags to a provider, or change them."""
    row = _targeted(call, saml_provider_arn)
    tagging.put(call, row.provider_id, tags)
    _note(call, row)
    return NOTHING


@iam.operation("UntagSAMLProvider", resource=named_provider, effect=Effect.STATE)
def untag_saml_provider(call: Call, *, saml_provider_arn: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a provider."""
    row = _targeted(call, saml_provider_arn)
    tagging.take(call, row.provider_id, tag_keys)
    _note(call, row)
    return NOTHING


@iam.operation("ListSAMLProviderTags", resource=named_provider)
def list_saml_provider_tags(
    call: Call, *, saml_provider_arn: str, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List a provider's tags by key."""
    row = _targeted(call, saml_provider_arn)
    return tagging.page(call, row.provider_id, list_name="ListSAMLProviderTags", marker=marker, max_items=max_items)


def _targeted(call: Call, provider_arn: str) -> SamlProviderRow:
    row = call.target_row(SamlProviderRow)
    if row is None:
        raise errors.NoSuchEntity(f"Manifest not found for arn {provider_arn}")
    return row


def _arn(account_id: str, name: str) -> str:
    return arn.iam(account_id, f"saml-provider/{name}")


def _issuer(document: str) -> str | None:
    try:
        return saml_metadata.read(document).entity_id
    except saml_metadata.UnusableMetadata:
        # The operation refuses it, after the decision: only who may ask at all learns what is wrong with a document.
        return None


def _valid_until(call: Call, document: str) -> datetime:
    try:
        said = saml_metadata.read(document).valid_until
    except saml_metadata.UnusableMetadata as error:
        raise errors.InvalidInput("Could not parse metadata") from error
    # The day is held to 28: not every year has a 29 February.
    return said or call.now.replace(year=call.now.year + _YEARS, day=min(call.now.day, 28))


def _refuse_encryption(mode: str | None, private_key: str | None) -> None:
    if private_key is not None or mode not in (None, _UNENCRYPTED):
        raise errors.InvalidInput("Encrypted SAML assertions are not supported: leave out AddPrivateKey, and Required.")


def _note(call: Call, row: SamlProviderRow) -> None:
    call.notes.resources.append((RESOURCE_TYPE, row.arn))
