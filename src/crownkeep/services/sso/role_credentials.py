"""What the holder of an access token may take, and its credentials. The token decides; there is no signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crownkeep import errors, paging
from crownkeep.domain import page_tokens
from crownkeep.domain.single_sign_on import access, clients
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.services.sso.service import sso
from crownkeep.signin import programs
from crownkeep.signin.programs import Bearer
from crownkeep.storage.single_sign_on import entitlements, person_grants

Item = TypeVar("Item")

MOST = 100


@sso.operation("ListAccounts", resource=no_resource, permission=Permission.NONE)
def list_accounts(call: Call, *, access_token: str, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the accounts in which the token's person may take something."""
    bearer = _bearer(call, access_token)
    listed, more = _page(
        call,
        bearer,
        "ListAccounts",
        next_token,
        max_results,
        fetch=lambda after, limit: entitlements.accounts_of(call.db, **_whose(bearer), after=after, limit=limit),
        key=lambda each: each.account_id,
    )
    shown = [{"accountId": each.account_id, "accountName": each.name, "emailAddress": each.email} for each in listed]
    return {"accountList": shown, **more}


@sso.operation("ListAccountRoles", resource=no_resource, permission=Permission.NONE)
def list_account_roles(
    call: Call, *, access_token: str, account_id: str, max_results: int | None = None, next_token: str | None = None
) -> Result:
    """List what the token's person may take in an account, by the names of permission sets."""
    bearer = _bearer(call, access_token)
    listed, more = _page(
        call,
        bearer,
        f"ListAccountRoles {account_id}",
        next_token,
        max_results,
        fetch=lambda after, limit: entitlements.sets_of(
            call.db, **_whose(bearer), target_id=account_id, after=after, limit=limit
        ),
        key=str,
    )
    return {"roleList": [{"roleName": name, "accountId": account_id} for name in listed], **more}


@sso.operation("GetRoleCredentials", resource=no_resource, permission=Permission.NONE)
def get_role_credentials(call: Call, *, access_token: str, account_id: str, role_name: str) -> Result:
    """Issue credentials of a role that the token's person may take."""
    bearer = _bearer(call, access_token)
    call.notes.additional["UserName"] = bearer.person.name
    taken = access.take(call, bearer.signed_in, account_id=account_id, role_name=role_name)
    issued, milliseconds = taken.credentials, int(taken.expires_at.timestamp()) * 1000
    return {
        "roleCredentials": {
            "accessKeyId": issued["AccessKeyId"],
            "secretAccessKey": issued["SecretAccessKey"],
            "sessionToken": issued["SessionToken"],
            "expiration": milliseconds,
        }
    }


@sso.operation("Logout", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def logout(call: Call, *, access_token: str) -> Result:
    """End what the token's person has let its program do: its tokens, and the sessions of roles that it took."""
    bearer = _bearer(call, access_token)
    person_grants.end(call.db, bearer.grant.grant_id)
    return NOTHING


def _bearer(call: Call, access_token: str) -> Bearer:
    found = programs.bearer(call, access_token, clients.SCOPE)
    if found is None:
        raise errors.Unauthorized("Session token not found or invalid")
    call.notes.vouched = found.caller
    return found


def _page(
    call: Call,
    bearer: Bearer,
    list_name: str,
    next_token: str | None,
    max_results: int | None,
    *,
    fetch: Callable[[str, int], Sequence[Item]],
    key: Callable[[Item], str],
) -> tuple[Sequence[Item], dict[str, object]]:
    """Return one page of what is the person's, and `nextToken` where there is more; raises InvalidRequestException."""
    after = ""
    size = max_results or MOST
    filters = (bearer.signed_in.user.user_id,)
    if next_token:
        try:
            after = page_tokens.read(call, next_token, list_name=list_name, filters=filters)
        except errors.ValidationError as error:
            raise errors.InvalidRequest("Invalid next token") from error
    cut = paging.cut(fetch(after, size + 1), size, key)
    if cut.next_key is None:
        return cut.items, {}
    return cut.items, {"nextToken": page_tokens.write(call, cut.next_key, list_name=list_name, filters=filters)}


def _whose(bearer: Bearer) -> dict[str, str]:
    instance, user = bearer.signed_in.instance, bearer.signed_in.user
    return {"instance_id": instance.instance_id, "store_id": instance.identity_store_id, "user_id": user.user_id}
