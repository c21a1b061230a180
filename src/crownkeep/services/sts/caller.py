"""Who is calling: the question every other one begins with."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials import access_keys
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Permission, everything
from crownkeep.services.sts.service import sts


@sts.operation("GetCallerIdentity", resource=everything, permission=Permission.NONE)
def get_caller_identity(call: Call) -> Result:
    """Return the caller's account, ARN and unique id; no policy can deny it (API_GetCallerIdentity)."""
    caller = call.principal
    return {"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn}


@sts.operation("GetAccessKeyInfo", resource=everything)
def get_access_key_info(call: Call, *, access_key_id: str) -> Result:
    """Return the account an access key id belongs to, which the id itself says; whether the key exists is not told."""
    account_id = access_keys.account_of(access_key_id)
    if account_id is None:
        raise errors.ValidationError(f"Invalid access key id: {access_key_id}")
    return {"Account": account_id}
