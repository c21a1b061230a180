"""Every table, gathered: importing this module is what makes `metadata` whole.

Each topic module appears here once; the migrations are held against this list by a test.
"""

from crownkeep.storage.accounts import account_aliases, account_quotas, account_settings, accounts, contacts, region_choices
from crownkeep.storage.audits import audited_credentials, credential_audits
from crownkeep.storage.credentials import (
    access_keys,
    known_sealing_keys,
    login_profiles,
    mfa_devices,
    passkeys,
    password_policies,
    root_login_profiles,
    server_certificates,
    service_credentials,
    signing_certificates,
    ssh_public_keys,
)
from crownkeep.storage.delegation import delegation_requests, delegation_templates
from crownkeep.storage.federation import oidc_providers, redeemed_assertions, saml_providers, web_identity_keys
from crownkeep.storage.identities import groups, instance_profiles, memberships, role_deletions, roles, tags, users
from crownkeep.storage.metadata import metadata
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.organizations import (
    account_creations,
    delegated_administrators,
    handshakes,
    organization_accounts,
    organization_features,
    organization_policies,
    organization_policy_targets,
    organization_policy_types,
    organization_resource_policies,
    organization_service_access,
    organization_tags,
    organizational_units,
    organizations,
)
from crownkeep.storage.policies import attachments, boundaries, inline_policies, policies, policy_versions
from crownkeep.storage.reports import access_reports, credential_reports, service_uses
from crownkeep.storage.sign_in import (
    browser_sessions,
    command_line_grants,
    email_changes,
    one_time_links,
    recovery_codes,
    root_recoveries,
    sign_in_nonces,
    sign_in_settings,
    signin_throttles,
    tallies,
)
from crownkeep.storage.trail import events

TOPICS = (
    access_keys,
    access_reports,
    account_aliases,
    account_creations,
    account_quotas,
    account_settings,
    accounts,
    attachments,
    audited_credentials,
    boundaries,
    browser_sessions,
    command_line_grants,
    contacts,
    credential_audits,
    credential_reports,
    delegated_administrators,
    deliveries,
    delegation_requests,
    delegation_templates,
    email_changes,
    events,
    groups,
    handshakes,
    inline_policies,
    instance_profiles,
    known_sealing_keys,
    login_profiles,
    memberships,
    mfa_devices,
    oidc_providers,
    one_time_links,
    organization_accounts,
    organization_features,
    organization_policies,
    organization_policy_targets,
    organization_policy_types,
    organization_resource_policies,
    organization_service_access,
    organization_tags,
    organizational_units,
    organizations,
    outbox,
    passkeys,
    password_policies,
    policies,
    policy_versions,
    recovery_codes,
    redeemed_assertions,
    region_choices,
    role_deletions,
    roles,
    root_login_profiles,
    root_recoveries,
    saml_providers,
    server_certificates,
    service_credentials,
    service_uses,
    sign_in_nonces,
    sign_in_settings,
    signin_throttles,
    signing_certificates,
    ssh_public_keys,
    tags,
    tallies,
    users,
    web_identity_keys,
)

__all__ = ["TOPICS", "metadata"]
