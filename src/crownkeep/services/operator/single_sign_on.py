"""Single sign-on as the operator enables it: an instance for the organization that an account manages."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts
from crownkeep.storage.organizations import organization_accounts
from crownkeep.storage.single_sign_on import instances as instance_rows
from crownkeep.storage.single_sign_on.instances import InstanceRow


@operator.operation("EnableSingleSignOn", resource=registry.everything, effect=Effect.STATE)
def enable_single_sign_on(call: Call, *, account_id: str) -> Result:
    """Make the instance of an organization, in its management account; raises ConflictException where there is one."""
    known_accounts.held(call, account_id)
    call.notes.account_id = account_id
    member = organization_accounts.of_account(call.db, account_id)
    if member is None or member.management_account_id != account_id:
        raise errors.Conflict(
            f"account `{account_id}` manages no organization; make one with `aws organizations create-organization`"
        )
    if instance_rows.of_account(call.db, account_id) is not None:
        raise errors.Conflict(f"account `{account_id}` has an instance of single sign-on already")
    row = instances.new(call, account_id, organization_id=member.organization_id, name="")
    return {"instance_arn": instances.arn_of(row.instance_id), "identity_store_id": row.identity_store_id}


def required_instance(call: Call, account_id: str) -> InstanceRow:
    """Return the instance of an organization by its management account; raises ResourceNotFound."""
    # An account that doesn't exist has no trail: who asked for it stands in the operator's.
    call.notes.account_id = account_id if accounts.with_id(call.db, account_id) is not None else ""
    instance = instance_rows.of_account(call.db, account_id)
    if instance is None:
        raise errors.ResourceNotFound(
            f"account `{account_id}` has no instance of single sign-on; `crownkeep sso enable` makes one"
        )
    return instance
