"""Central root access: root users of members without credentials of their own, and who may do single tasks in their place.

Source: IAM user guide, "Centrally manage root access for member accounts". The two features are independent of each other, and
neither is in force while IAM has no trusted access in the organization; what was switched on is kept for when it has again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from crownkeep.catalogue import managed_policies
from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import root_login_profiles
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import (
    delegated_administrators,
    organization_accounts,
    organization_features,
    organization_service_access,
    organizations,
)
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.sign_in import one_time_links

SERVICE = "iam.amazonaws.com"
"""The service that needs trusted access, and whose delegated administrators may do what is told here."""

CREDENTIALS_MANAGEMENT = "RootCredentialsManagement"
SESSIONS = "RootSessions"

_TASK_PREFIX = f"{managed_policies.ARN_PREFIX}root-task/"
TASKS: Mapping[str, str] = {
    f"{_TASK_PREFIX}IAMAuditRootUserCredentials": CREDENTIALS_MANAGEMENT,
    f"{_TASK_PREFIX}IAMCreateRootUserPassword": CREDENTIALS_MANAGEMENT,
    f"{_TASK_PREFIX}IAMDeleteRootUserCredentials": CREDENTIALS_MANAGEMENT,
    f"{_TASK_PREFIX}S3UnlockBucketPolicy": SESSIONS,
    f"{_TASK_PREFIX}SQSUnlockQueuePolicy": SESSIONS,
}
"""The task policies that a session of AssumeRoot can have, by ARN, and the feature that each needs."""


def is_trusted(db: Transaction, organization: OrganizationRow) -> bool:
    """Tell whether IAM has trusted access in an organization."""
    return organization_service_access.is_enabled(db, organization.organization_id, SERVICE)


def enabled_features(db: Transaction, organization: OrganizationRow) -> list[str]:
    """Return the features that are in force, by name: none while IAM has no trusted access."""
    return organization_features.enabled(db, organization.organization_id) if is_trusted(db, organization) else []


def is_administrator(db: Transaction, organization: OrganizationRow, account_id: str) -> bool:
    """Tell whether this account manages the organization, or administers IAM for it."""
    if account_id == organization.management_account_id:
        return True
    return delegated_administrators.is_delegate_for(db, organization.organization_id, account_id, SERVICE)


def may_take_on(db: Transaction, administrator_id: str, account_id: str, task: str) -> bool:
    """Return whether an account may have another one's root user do a task: it administers root access of this member.

    Asked when root is taken on, and on every request of such a session: it ends with the feature, the trusted access, the
    administration or the membership that it rests on.
    """
    # Every step is looked up in the request's transaction: none of it is cached, as it concerns two accounts.
    organization = organizations.of_account(db, administrator_id)
    if organization is None or not is_administrator(db, organization, administrator_id):
        return False
    member = organization_accounts.of_account(db, account_id)
    if member is None or member.organization_id != organization.organization_id:
        return False
    # The management account's root user answers to nobody.
    if account_id == organization.management_account_id:
        return False
    # An unknown task gives None, which is no feature's name.
    return TASKS.get(task) in enabled_features(db, organization)


# Root's password, which the member's own administrators can't see and the organization's can take away.


def password_since(db: Transaction, account: AccountRow) -> datetime | None:
    """Return since when root has a password, or may choose one; None where it has none and may choose none by itself."""
    profile = root_login_profiles.of_account(db, account.account_id)
    if profile is not None and profile.allowed_at is not None:
        return profile.allowed_at
    if account.root_password_hash is None:
        return None
    return account.root_password_changed_at or account.created_at


def may_recover(db: Transaction, account: AccountRow) -> bool:
    """Tell whether root's password may be recovered by mail: not where root has no credentials and is to have none."""
    if account.root_password_hash is not None:
        return True
    profile = root_login_profiles.of_account(db, account.account_id)
    return profile is None or profile.allowed_at is not None


def allow_recovery(db: Transaction, account_id: str, *, at: datetime) -> None:
    """Let whoever reads root's mail choose a password."""
    root_login_profiles.allow(db, account_id, at=at)


def remove_password(db: Transaction, account: AccountRow) -> None:
    """Take root's password away, and let nobody choose another: its sessions end, and links that were mailed are void."""
    accounts.change(
        db,
        account.account_id,
        root_password_hash=None,
        root_password_changed_at=None,
        # Sessions hold the version that they began under. It only has to differ, and must fit the column on both databases.
        root_credential_version=(account.root_credential_version + 1) % (1 << 31),
    )
    for purpose in (LinkPurpose.SET_ROOT_PASSWORD, LinkPurpose.RESET_ROOT_PASSWORD):
        one_time_links.remove_all(db, account.account_id, purpose=purpose)
    root_login_profiles.withhold(db, account.account_id)
