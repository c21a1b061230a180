"""IAM's quotas and what exceeding one says (IAM user guide, "IAM and STS quotas")."""

from __future__ import annotations

from crownkeep import errors

USERS = 5000
GROUPS = 300
GROUPS_PER_USER = 10
ACCESS_KEYS_PER_USER = 2
"""Of a user and of root; inactive keys count."""
MFA_DEVICES = USERS + 1
"""Virtual ones, assigned or not: one for each user that there can be, and one for root."""
MFA_DEVICES_PER_USER = 8
"""Of a user and of root, of whatever kind."""
POLICIES = 1500
VERSIONS_PER_POLICY = 5
POLICY_VERSIONS_IN_USE = 10_000
POLICY_SIZE = 6144
USER_POLICY_SIZE = 2048
GROUP_POLICY_SIZE = 5120
ROLE_POLICY_SIZE = 10_240
TRUST_POLICY_SIZE = 2048
ATTACHED_POLICIES_PER_USER = 10
ATTACHED_POLICIES_PER_GROUP = 10
ATTACHED_POLICIES_PER_ROLE = 20
ROLES = 1000
INSTANCE_PROFILES = 1000
SERVER_CERTIFICATES = 20
OIDC_PROVIDERS = 100
CLIENT_IDS_PER_OIDC_PROVIDER = 100
THUMBPRINTS_PER_OIDC_PROVIDER = 5
SAML_PROVIDERS = 100
SIGNING_CERTIFICATES_PER_USER = 2
"""Of a user and of root."""
SSH_PUBLIC_KEYS_PER_USER = 5
SERVICE_CREDENTIALS_PER_USER = 2
"""For each service."""
TAGS = 50
"""Of one resource."""


def require_room(count: int, quota: int, *, name: str) -> None:
    """Raise LimitExceeded where `count` of what is to become one more has reached the quota that AWS calls `name`."""
    if count >= quota:
        raise errors.LimitExceeded(f"Cannot exceed quota for {name}: {quota}")
