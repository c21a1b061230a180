"""Settings of the whole account: the version of session tokens, outbound web identity federation, and account properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crownkeep import clock, errors, ids
from crownkeep.domain.credentials import outbound_identity
from crownkeep.domain.credentials.outbound_identity import MintedKey
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam.service import iam
from crownkeep.storage.accounts import account_settings

_VERSIONS = {"v1Token": 1, "v2Token": 2}


def properties(call: Call, *, properties: Mapping[str, str], **_: object) -> Target:
    """The account, and the namespaces of the properties that are set."""
    namespaces = tuple(sorted({key.partition("/")[0] for key in properties}))
    return Target("*", context={"iam:AccountPropertyNamespaces": namespaces})


@iam.operation("SetSecurityTokenServicePreferences", resource=registry.everything, effect=Effect.STATE)
def set_security_token_service_preferences(call: Call, *, global_endpoint_token_version: str) -> Result:
    """Set which version of session tokens GetAccountSummary shows.

    On AWS the version decides in which Regions tokens of the global endpoint are valid. Here every token is valid in each Region
    that the account has enabled, whatever the version says.
    """
    settings = account_settings.of_account(call.db, call.account_id)
    version = _VERSIONS[global_endpoint_token_version]
    account_settings.put(call.db, replace(settings, token_version=version))
    return NOTHING


def make_signing_keys(call: Call) -> Sequence[MintedKey]:
    """Make the keys that the account lacks, so that its issuer publishes some before the first token."""
    return outbound_identity.mint_missing(call)


@iam.operation(
    "EnableOutboundWebIdentityFederation", resource=registry.everything, effect=Effect.STATE, prepare=make_signing_keys
)
def enable_outbound_web_identity_federation(call: Call) -> Result:
    """Let the account's identities get tokens that prove to others who they are; its issuer stays the same for ever."""
    settings = account_settings.of_account(call.db, call.account_id)
    if settings.issues_web_identities:
        raise errors.FeatureEnabled("Outbound identity federation is already enabled for your Amazon Web Services account.")
    # An issuer that was disabled comes back as it was: whoever trusts it elsewhere has its address in their settings.
    issuer_id = settings.issuer_id or ids.request_id(clock.token_bytes(16))
    account_settings.put(call.db, replace(settings, issuer_id=issuer_id, issues_web_identities=True))
    outbound_identity.adopt(call, call.prepared if isinstance(call.prepared, tuple) else ())
    return {"IssuerIdentifier": outbound_identity.issuer(call.settings, issuer_id)}


@iam.operation("DisableOutboundWebIdentityFederation", resource=registry.everything, effect=Effect.STATE)
def disable_outbound_web_identity_federation(call: Call) -> Result:
    """Let nobody in the account get such tokens any more; those that were issued stay valid until they expire."""
    settings = account_settings.of_account(call.db, call.account_id)
    if not settings.issues_web_identities:
        raise _disabled()
    account_settings.put(call.db, replace(settings, issues_web_identities=False))
    return NOTHING


@iam.operation("GetOutboundWebIdentityFederationInfo", resource=registry.everything)
def get_outbound_web_identity_federation_info(call: Call) -> Result:
    """Return who the account's tokens say that they come from."""
    settings = account_settings.of_account(call.db, call.account_id)
    if settings.issuer_id is None or not settings.issues_web_identities:
        raise _disabled()
    return {"IssuerIdentifier": outbound_identity.issuer(call.settings, settings.issuer_id), "JwtVendingEnabled": True}


@iam.operation("GetAccountProperties", resource=registry.everything)
def get_account_properties(call: Call) -> Result:
    """Return the account's properties: those there are belong to features of AWS that are not here, so it has none."""
    return {"Properties": {}}


@iam.operation("PutAccountProperties", resource=properties, effect=Effect.STATE)
def put_account_properties(call: Call, *, properties: Mapping[str, str]) -> Result:
    """Refuse to set properties by their names: none of them would change anything here."""
    for key in properties:
        if key.count("/") != 1 or key.endswith("/"):
            raise errors.InvalidInput(f"The property key {key} is not valid: it must be in the format Namespace/PropertyName.")
    if len({key.partition("/")[0] for key in properties}) != 1:
        raise errors.InvalidInput("All properties in a single request must belong to the same namespace.")
    raise errors.InvalidInput(f"The property {next(iter(properties))} is not supported.")


def _disabled() -> errors.FeatureDisabled:
    return errors.FeatureDisabled("Outbound identity federation is disabled for your Amazon Web Services account.")
