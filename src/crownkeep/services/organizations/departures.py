"""When an account may leave its organization, by itself or by the management account's hand."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.accounts import membership
from crownkeep.operations.call import Call
from crownkeep.services.organizations import callers, quotas, refusals
from crownkeep.storage.organizations import delegated_administrators
from crownkeep.storage.organizations.organization_accounts import MemberRow


def require_may_leave(call: Call, member: MemberRow) -> None:
    """Refuse to let go of the management account, of a delegated administrator, and of an account that was just created."""
    if callers.is_management(member):
        raise errors.MasterCannotLeaveOrganization(
            "You can't remove a management account from an organization. If you want the management account to become a member "
            "account in another organization, you must first delete the current organization of the management account."
        )
    if delegated_administrators.is_delegate(call.db, member.organization_id, member.account_id):
        raise refusals.constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG")
    is_new = call.now - member.joined_at < quotas.CREATED_ACCOUNT_STAYS
    if member.joined_method == membership.CREATED and is_new:
        raise refusals.constraint("WAIT_PERIOD_ACTIVE")
