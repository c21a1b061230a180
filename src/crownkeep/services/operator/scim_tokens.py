"""Tokens with which another directory provisions people by SCIM: the operator makes them, at most two for an instance."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import scim_bearers
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator.service import operator
from crownkeep.services.operator.single_sign_on import required_instance
from crownkeep.storage.accounts import accounts
from crownkeep.storage.single_sign_on import scim_tokens
from crownkeep.storage.single_sign_on.scim_tokens import ScimTokenRow


@operator.operation("CreateScimToken", resource=registry.everything, effect=Effect.STATE)
def create_scim_token(call: Call, *, account_id: str) -> Result:
    """Make a token that lasts a year; raises ConflictException where the instance has two."""
    accounts.hold(call.db, account_id)
    instance = required_instance(call, account_id)
    row, token = scim_bearers.mint(call, instance)
    return {**_described(row), "token": token.reveal(), "endpoint": scim_bearers.endpoint(call.settings.url, instance)}


@operator.operation("ListScimTokens", resource=registry.everything)
def list_scim_tokens(call: Call, *, account_id: str) -> Result:
    """List the tokens, and the address that the other directory is told; no token is shown again."""
    instance = required_instance(call, account_id)
    listed = [_described(row) for row in scim_tokens.of_store(call.db, instance.identity_store_id)]
    return {"endpoint": scim_bearers.endpoint(call.settings.url, instance), "tokens": listed}


@operator.operation("DeleteScimToken", resource=registry.everything, effect=Effect.STATE)
def delete_scim_token(call: Call, *, account_id: str, token_id: str) -> Result:
    """Delete a token: the next request with it is refused."""
    accounts.hold(call.db, account_id)
    instance = required_instance(call, account_id)
    if not scim_tokens.remove(call.db, instance.identity_store_id, token_id):
        raise errors.ResourceNotFound(f"there is no token `{token_id[:64]}`; `crownkeep sso scim-token list` shows them all")
    return NOTHING


def _described(row: ScimTokenRow) -> dict[str, object]:
    return {"token_id": row.token_id, "created_at": row.created_at, "expires_at": row.expires_at}
