"""Accounts and roles that a person may take: listed, opened in the console, and as access keys."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from crownkeep import arn, errors
from crownkeep.credentials import session_tokens
from crownkeep.domain.single_sign_on import access, entitled_roles
from crownkeep.domain.single_sign_on.access import Issued, SignedIn
from crownkeep.domain.single_sign_on.entitled_roles import SessionAsked
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, RecordedAs, everything
from crownkeep.services.access_portal import me
from crownkeep.services.access_portal.service import access_portal
from crownkeep.signin import sessions
from crownkeep.signin.sessions import SwitchedRole
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import entitlements, role_entitlements

MOST = 1000
"""Roles that are listed at once; a search narrows them down."""

_SOURCE = "sso.amazonaws.com"


@access_portal.operation("ListEntitlements", resource=everything)
def list_entitlements(call: Call, *, search: str | None = None) -> Result:
    """List what the person may take, by account; `Search` is looked for in account names, ids and role names."""
    person = me.required(call).signed_in
    found = entitlements.entitlements_of(
        call.db,
        instance_id=person.instance.instance_id,
        store_id=person.instance.identity_store_id,
        user_id=person.user.user_id,
        search=search or "",
        limit=MOST,
    )
    entitled = role_entitlements.find_roles_of(
        call.db,
        instance_id=person.instance.instance_id,
        store_id=person.instance.identity_store_id,
        user_id=person.user.user_id,
        search=search or "",
        limit=MOST,
    )
    shown = [
        {"AccountId": each.account_id, "AccountName": each.name, "EmailAddress": each.email, "RoleName": each.role_name}
        for each in found
    ]
    shown += [
        {
            "AccountId": each.account_id,
            "AccountName": each.name,
            "EmailAddress": each.email,
            "RoleName": each.role_arn.rpartition("/")[2],
            "RoleArn": each.role_arn,
        }
        for each in entitled
    ]
    return {"Entitlements": sorted(shown, key=_place)[:MOST]}


@access_portal.operation(
    "IssueAccessKeys",
    resource=everything,
    effect=Effect.STATE,
    recorded_as=RecordedAs(_SOURCE, "AwsApiCall", "GetRoleCredentials"),
)
def issue_access_keys(call: Call, *, account_id: str, role_name: str, role_arn: str | None = None) -> Result:
    """Issue short-lived credentials of a role that the person may take."""
    person = me.required(call).signed_in
    call.notes.additional["UserName"] = person.user.user_name
    return {"Credentials": _taken(call, person, account_id, role_name, role_arn).credentials}


@access_portal.operation(
    "OpenConsole",
    resource=everything,
    effect=Effect.STATE,
    recorded_as=RecordedAs(_SOURCE, "AwsServiceEvent", "Federate"),
)
def open_console(call: Call, *, account_id: str, role_name: str, role_arn: str | None = None) -> Result:
    """Let the browser session act as a role that the person may take, until they come back to the portal."""
    mine = me.required(call)
    call.notes.additional["UserName"] = mine.signed_in.user.user_name
    issued = _taken(call, mine.signed_in, account_id, role_name, role_arn).credentials
    claims = session_tokens.read(call.keyring, str(issued["SessionToken"]), access_key_id=str(issued["AccessKeyId"]))
    marked = sessions.sign_in_context(account_id, mine.session_id, region=call.origin.region)
    session = replace(claims.session, from_console=True, context={**claims.session.context, **marked})
    roles = (SwitchedRole(replace(claims.principal, session=session)),)
    browser_sessions.switch(call.db, mine.binding.session_digest, msgspec.json.encode(roles).decode())
    return NOTHING


def _taken(call: Call, person: SignedIn, account_id: str, role_name: str, role_arn: str | None) -> Issued:
    """Take a permission set's role, or an existing one where its ARN is named, which must say the same as the other two."""
    if role_arn is None:
        return access.take(call, person, account_id=account_id, role_name=role_name)
    parts = arn.parse(role_arn)
    if parts is None or (parts.account_id, role_arn.rpartition("/")[2]) != (account_id, role_name):
        raise errors.ServiceValidation("The role's ARN is not of this account and name.")
    return entitled_roles.take(call, person, role_arn, SessionAsked())


def _place(entitlement: dict[str, str]) -> tuple[str, ...]:
    return tuple(entitlement.get(name, "") for name in ("AccountName", "AccountId", "RoleName", "RoleArn"))
