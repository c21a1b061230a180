"""IAM's quotas and what exceeding one says (IAM user guide, "IAM and STS quotas").

The defaults are AWS's. The operator may set them for an account: up to what AWS grants on request, or beyond it where nothing
here becomes slow or unreadable by that. What the pages, reports and the wire have room for cannot be exceeded.
"""

from __future__ import annotations

from crownkeep.domain import quotas
from crownkeep.domain.quotas import define
from crownkeep.operations.call import Call

of, require_room, require_below = quotas.of, quotas.require_room, quotas.require_below

USERS = define("UsersQuota", 5000, most=100_000)
GROUPS = define("GroupsQuota", 300, most=10_000)
GROUPS_PER_USER = define("GroupsPerUserQuota", 10, most=100)
ACCESS_KEYS_PER_USER = define("AccessKeysPerUserQuota", 2, most=2)
"""Of a user and of root; inactive keys count. The credential report has room for two."""
POLICIES = define("PoliciesQuota", 1500, most=10_000)
VERSIONS_PER_POLICY = define("VersionsPerPolicyQuota", 5, least=1, most=50)
POLICY_VERSIONS_IN_USE = define("PolicyVersionsInUseQuota", 10_000, most=100_000)
POLICY_SIZE = define("PolicySizeQuota", 6144, least=256, most=32_768)
USER_POLICY_SIZE = define("UserPolicySizeQuota", 2048, most=32_768)
GROUP_POLICY_SIZE = define("GroupPolicySizeQuota", 5120, most=32_768)
ROLE_POLICY_SIZE = define("RolePolicySizeQuota", 10_240, most=32_768)
TRUST_POLICY_SIZE = define("AssumeRolePolicySizeQuota", 2048, least=256, most=8192)
ATTACHED_POLICIES_PER_USER = define("AttachedPoliciesPerUserQuota", 10, most=50)
ATTACHED_POLICIES_PER_GROUP = define("AttachedPoliciesPerGroupQuota", 10, most=50)
ATTACHED_POLICIES_PER_ROLE = define("AttachedPoliciesPerRoleQuota", 20, most=50)
ROLES = define("RolesQuota", 1000, most=10_000)
INSTANCE_PROFILES = define("InstanceProfilesQuota", 1000, most=10_000)
SERVER_CERTIFICATES = define("ServerCertificatesQuota", 20, most=1000)
OIDC_PROVIDERS = define("OpenIDConnectProvidersQuota", 100, most=700)
CLIENT_IDS_PER_OIDC_PROVIDER = define("ClientIDsPerOpenIDConnectProviderQuota", 100, least=1, most=1000)
THUMBPRINTS_PER_OIDC_PROVIDER = define("ThumbprintsPerOpenIDConnectProviderQuota", 5, least=1, most=5)
SAML_PROVIDERS = define("SAMLProvidersQuota", 100, most=700)
SIGNING_CERTIFICATES_PER_USER = define("SigningCertificatesPerUserQuota", 2, most=2)
"""Of a user and of root. The credential report has room for two."""
SSH_PUBLIC_KEYS_PER_USER = define("SSHPublicKeysPerUserQuota", 5, most=50)
SERVICE_CREDENTIALS_PER_USER = define("ServiceSpecificCredentialsPerUserQuota", 2, most=10)
"""For each service."""
TAGS = define("TagsPerResourceQuota", 50, most=50)
"""Of one resource."""


def mfa_devices(call: Call) -> int:
    """Return how many virtual MFA devices there may be, assigned or not: one for each user there can be, and one for root."""
    return of(call, USERS) + 1
