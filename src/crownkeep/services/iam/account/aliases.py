"""Account aliases: a name for the account in its sign-in address, unique over all accounts."""

from __future__ import annotations

from crownkeep import errors, ids
from crownkeep.domain import page_tokens
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam.service import iam
from crownkeep.storage.accounts import account_aliases


@iam.operation("CreateAccountAlias", resource=registry.everything)
def create_account_alias(call: Call, *, account_alias: str) -> Result:
    """Give the account an alias, in the place of the one it has."""
    if ids.is_account_id(account_alias):
        # It would be taken for another account's id in a sign-in address (IAM user guide, "Your AWS account ID and its alias").
        raise errors.ValidationError("The specified value for accountAlias is invalid. It must not be an account ID.")
    if account_aliases.account_with(call.db, account_alias) is not None:
        raise errors.EntityAlreadyExists(f"The account alias {account_alias} already exists.")
    account_aliases.put(call.db, call.account_id, account_alias, at=call.now)
    return NOTHING


@iam.operation("DeleteAccountAlias", resource=registry.everything)
def delete_account_alias(call: Call, *, account_alias: str) -> Result:
    """Take the account's alias away."""
    if account_aliases.of_account(call.db, call.account_id) != account_alias:
        raise errors.NoSuchEntity(f"The account alias with name {account_alias} cannot be found.")
    account_aliases.remove(call.db, call.account_id)
    return NOTHING


@iam.operation("ListAccountAliases", resource=registry.everything)
def list_account_aliases(call: Call, *, marker: str | None = None, max_items: int | None = None) -> Result:
    """List the account's alias, of which there is at most one."""
    if marker is not None:
        page_tokens.read(call, marker, list_name="ListAccountAliases", filters=())
    alias = account_aliases.of_account(call.db, call.account_id)
    return {"AccountAliases": [] if alias is None else [alias], "IsTruncated": False}
