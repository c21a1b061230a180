"""What the holder of an access token is entitled to, and its credentials. The token decides; there is no signature."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import clients, entitled_roles
from crownkeep.domain.single_sign_on.entitled_roles import SessionAsked
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Permission, no_resource
from crownkeep.services.account_access_runtime.service import account_access_runtime
from crownkeep.signin import programs
from crownkeep.signin.programs import Bearer
from crownkeep.storage.single_sign_on import access_applications, role_entitlements

MOST = 100


@account_access_runtime.operation("ListRoles", resource=no_resource, permission=Permission.NONE)
def list_roles(call: Call, *, tenant_id: str, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the existing roles that the token's person is entitled to."""
    bearer = _bearer(call, tenant_id, clients.LIST_ROLES, clients.TAKE_ROLES)
    if max_results is not None and not 1 <= max_results <= MOST:
        raise errors.ServiceValidation(f"maxResults must be between 1 and {MOST}.")
    instance, user = bearer.signed_in.instance, bearer.signed_in.user
    listed, more = next_tokens.page(
        call,
        list_name="account-access-runtime ListRoles",
        filters=(user.user_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: role_entitlements.roles_of(
            call.db,
            instance_id=instance.instance_id,
            store_id=instance.identity_store_id,
            user_id=user.user_id,
            after=after,
            limit=limit,
        ),
        key=lambda each: each.role_digest,
        member="nextToken",
    )
    shown = [{"accountId": each.account_id, "accountName": each.name, "roleArn": each.role_arn} for each in listed]
    return {"roles": shown, **more}


@account_access_runtime.operation("GetRoleCredentials", resource=no_resource, permission=Permission.NONE)
def get_role_credentials(
    call: Call,
    *,
    tenant_id: str,
    role_arn: str,
    access_type: str,
    session_name: str | None = None,
    session_duration: int | None = None,
) -> Result:
    """Issue credentials of an existing role that the token's person is entitled to."""
    bearer = _bearer(call, tenant_id, clients.TAKE_ROLES)
    wanted = SessionAsked(session_name, session_duration)
    taken = entitled_roles.take(call, bearer.signed_in, role_arn, wanted).credentials
    issued = {
        "accessKeyId": taken["AccessKeyId"],
        "secretAccessKey": taken["SecretAccessKey"],
        "sessionToken": taken["SessionToken"],
        "expiresAt": taken["Expiration"],
    }
    return {"credentialsDetails": {"programmaticAccess": issued}}


def _bearer(call: Call, tenant_id: str, *scopes: str) -> Bearer:
    """Return whose token came; raises UnauthorizedException for one that is missing, over, without the scope or of another
    tenant: which of these it is isn't told."""
    found = programs.bearer(call, call.origin.bearer, *scopes)
    application = None if found is None else access_applications.of_instance(call.db, found.signed_in.instance.instance_id)
    if found is None or application is None or application.tenant_id != tenant_id:
        raise errors.Unauthorized("The bearer token is missing, invalid, or expired, or is not for this tenant.")
    call.notes.vouched = found.caller
    call.notes.additional["UserName"] = found.person.name
    return found
