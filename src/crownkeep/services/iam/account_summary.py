"""The account's summary: how many entities it has, IAM's quotas, and whether root has keys, a password and a factor."""

from __future__ import annotations

from crownkeep.operations import central_root, registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.iam import quotas
from crownkeep.services.iam.service import iam
from crownkeep.storage import (
    access_keys,
    account_settings,
    accounts,
    attachments,
    boundaries,
    groups,
    instance_profiles,
    mfa_devices,
    oidc_providers,
    policies,
    roles,
    saml_providers,
    server_certificates,
    signing_certificates,
    users,
)

_QUOTAS = {
    "UsersQuota": quotas.USERS,
    "GroupsQuota": quotas.GROUPS,
    "GroupsPerUserQuota": quotas.GROUPS_PER_USER,
    "AccessKeysPerUserQuota": quotas.ACCESS_KEYS_PER_USER,
    "SigningCertificatesPerUserQuota": quotas.SIGNING_CERTIFICATES_PER_USER,
    "ServerCertificatesQuota": quotas.SERVER_CERTIFICATES,
    "InstanceProfilesQuota": quotas.INSTANCE_PROFILES,
    "RolesQuota": quotas.ROLES,
    "PoliciesQuota": quotas.POLICIES,
    "PolicySizeQuota": quotas.POLICY_SIZE,
    "PolicyVersionsInUseQuota": quotas.POLICY_VERSIONS_IN_USE,
    "VersionsPerPolicyQuota": quotas.VERSIONS_PER_POLICY,
    "UserPolicySizeQuota": quotas.USER_POLICY_SIZE,
    "GroupPolicySizeQuota": quotas.GROUP_POLICY_SIZE,
    "RolePolicySizeQuota": quotas.ROLE_POLICY_SIZE,
    "AssumeRolePolicySizeQuota": quotas.TRUST_POLICY_SIZE,
    "AttachedPoliciesPerUserQuota": quotas.ATTACHED_POLICIES_PER_USER,
    "AttachedPoliciesPerGroupQuota": quotas.ATTACHED_POLICIES_PER_GROUP,
    "AttachedPoliciesPerRoleQuota": quotas.ATTACHED_POLICIES_PER_ROLE,
}


@iam.operation("GetAccountSummary", resource=registry.everything)
def get_account_summary(call: Call) -> Result:
    """Answer what the account has and may have, in a fixed number of counting queries."""
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
    return {"SummaryMap": {**summary, **_QUOTAS}}
