"""The account's summary: how many entities it has, IAM's quotas, and whether root has keys, a password and a factor."""

from __future__ import annotations

from crownkeep.domain import quotas as account_quotas
from crownkeep.operations import central_root, registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.iam import quotas
from crownkeep.services.iam.service import iam
from crownkeep.storage.accounts import account_settings, accounts
from crownkeep.storage.credentials import access_keys, mfa_devices, server_certificates, signing_certificates
from crownkeep.storage.federation import oidc_providers, saml_providers
from crownkeep.storage.identities import groups, instance_profiles, roles, users
from crownkeep.storage.policies import attachments, boundaries, policies

_QUOTAS = (
    quotas.USERS,
    quotas.GROUPS,
    quotas.GROUPS_PER_USER,
    quotas.ACCESS_KEYS_PER_USER,
    quotas.SIGNING_CERTIFICATES_PER_USER,
    quotas.SERVER_CERTIFICATES,
    quotas.INSTANCE_PROFILES,
    quotas.ROLES,
    quotas.POLICIES,
    quotas.POLICY_SIZE,
    quotas.POLICY_VERSIONS_IN_USE,
    quotas.VERSIONS_PER_POLICY,
    quotas.USER_POLICY_SIZE,
    quotas.GROUP_POLICY_SIZE,
    quotas.ROLE_POLICY_SIZE,
    quotas.TRUST_POLICY_SIZE,
    quotas.ATTACHED_POLICIES_PER_USER,
    quotas.ATTACHED_POLICIES_PER_GROUP,
    quotas.ATTACHED_POLICIES_PER_ROLE,
)


@iam.operation("GetAccountSummary", resource=registry.everything)
def get_account_summary(call: Call) -> Result:
    """Return what the account has and may have, in a fixed number of counting queries."""
    place = (call.db, call.account_id)
    account = accounts.with_id(*place)
    devices = mfa_devices.counts(*place)
    root_keys = access_keys.of_owner(*place, call.account_id)
    in_use = attachments.counts_under(*place, "").keys() | boundaries.counts_under(*place, "").keys()
    summary = {
        "Users": users.count(*place),
        "Groups": groups.count(*place),
        "Roles": roles.count(*place),
        "InstanceProfiles": instance_profiles.count(*place),
        "Providers": oidc_providers.count(*place) + saml_providers.count(*place),
        "Policies": policies.count(*place),
        "ServerCertificates": server_certificates.count(*place),
        # AWS counts the policies that are used anywhere, its own included; each has one version in force.
        "PolicyVersionsInUse": len(in_use),
        "MFADevices": devices.all,
        "MFADevicesInUse": devices.in_use,
        "AccountMFAEnabled": int(devices.of_root > 0),
        "AccountAccessKeysPresent": int(bool(root_keys)),
        "AccountSigningCertificatesPresent": int(bool(signing_certificates.of_owner(*place, call.account_id))),
        "AccountPasswordPresent": int(account is not None and central_root.password_since(call.db, account) is not None),
        "GlobalEndpointTokenVersion": account_settings.of_account(*place).token_version,
    }
    settled = account_quotas.all_of(call)
    return {"SummaryMap": {**summary, **{quota.name: settled[quota.name] for quota in _QUOTAS}}}
