"""Command lines that act for somebody at a browser: the act of letting one (`aws login`), which gives it a code.

AWS records it as AuthorizeOAuth2Access, and policies name it `signin:AuthorizeOAuth2Access`, but its model has no such operation.
"""

from __future__ import annotations

import msgspec

from crownkeep import clock, errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import SIGN_IN_SOURCE, Effect, RecordedAs, Target
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import hosts, oauth
from crownkeep.storage.sign_in import browser_sessions, command_line_grants
from crownkeep.storage.sign_in.command_line_grants import GrantRow

_TOKEN_BYTES = 32


def client(call: Call, *, client_id: str, redirect_uri: str, **_: object) -> Target:
    """The client, as policies name it."""
    return oauth.target(call.principal, client_id, call.origin, redirect_uri=redirect_uri)


@account_security.operation(
    "AuthorizeOAuth2Access",
    resource=client,
    action="signin:AuthorizeOAuth2Access",
    recorded_as=RecordedAs(SIGN_IN_SOURCE, "AwsApiCall"),
    effect=Effect.STATE,
)
def authorize_oauth2_access(call: Call, *, client_id: str, redirect_uri: str, code_challenge: str, scope: str) -> Result:
    """Let a command line act as the caller within its browser session; raises AccessDenied where there is none."""
    principal = call.principal
    row = browser_sessions.with_digest(call.db, call.binding.session_digest) if call.binding is not None else None
    if row is None or principal.session is None:
        raise errors.AccessDenied("A command line acts within a browser's session, and there is none.")
    visited = hosts.visited(call.settings, call.origin.host, call.origin.scheme)
    bases = (call.settings.url, *((visited.base,) if visited else ()))
    if not oauth.may_receive(client_id, redirect_uri, bases):
        raise errors.ValidationError("The client wants the code sent to an address that it must not be sent to.")
    code = oauth.spelled(clock.token_bytes(_TOKEN_BYTES)).reveal()
    command_line_grants.forget(call.db, before=call.now)
    # Bound to the session and to the password's version: the grant ends with either, without being looked for.
    grant = GrantRow(
        grant_id=clock.token_bytes(16).hex(),
        account_id=principal.account_id,
        owner_id=principal.unique_id,
        principal=msgspec.json.encode(principal),
        session_digest=row.digest,
        credential_version=row.credential_version,
        client_id=client_id,
        redirect_uri=redirect_uri,
        code_digest=oauth.digest_of(code),
        code_challenge=code_challenge,
        code_expires_at=call.now + oauth.CODE_LIFETIME,
        key_thumbprint=None,
        created_at=call.now,
        expires_at=min(row.expires_at, principal.session.expires_at),
    )
    command_line_grants.add(call.db, grant)
    return {"code": code}
