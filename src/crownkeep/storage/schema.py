"""Every table, gathered: importing this module is what makes `metadata` whole.

Each topic module appears here once; the migrations are held against this list by a test.
"""

from crownkeep.storage import (
    access_keys,
    account_aliases,
    accounts,
    attachments,
    boundaries,
    contacts,
    credential_reports,
    events,
    groups,
    inline_policies,
    instance_profiles,
    login_profiles,
    memberships,
    mfa_devices,
    oidc_providers,
    one_time_links,
    password_policies,
    policies,
    policy_versions,
    region_choices,
    role_deletions,
    roles,
    saml_providers,
    tags,
    users,
)
from crownkeep.storage.metadata import metadata

TOPICS = (
    access_keys,
    account_aliases,
    accounts,
    attachments,
    boundaries,
    contacts,
    credential_reports,
    events,
    groups,
    inline_policies,
    instance_profiles,
    login_profiles,
    memberships,
    mfa_devices,
    oidc_providers,
    one_time_links,
    password_policies,
    policies,
    policy_versions,
    region_choices,
    role_deletions,
    roles,
    saml_providers,
    tags,
    users,
)

__all__ = ["TOPICS", "metadata"]
