"""CreateToken: a code that a person's consent came with, or a refresh token, is exchanged for tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crownkeep import errors
from crownkeep.domain.single_sign_on import clients
from crownkeep.domain.single_sign_on.clients import Client
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.services.sso_oidc import refusals
from crownkeep.services.sso_oidc.service import sso_oidc
from crownkeep.signin import oauth, programs
from crownkeep.signin.programs import Token
from crownkeep.storage.sign_in.grant_tokens import GrantTokenRow
from crownkeep.storage.single_sign_on import person_grants, person_sign_in_rules
from crownkeep.storage.single_sign_on.person_grants import GIVEN, REDEEMED, REFUSED, WAITING, PersonGrantRow

ACCESS_LIFETIME = timedelta(hours=1)
GRACE = timedelta(minutes=1)
"""How long an exchanged refresh token may be exchanged again: two programs may share one cache."""
INTERVAL_SECONDS = 1
"""How long a program waits between two polls with a device code."""
POLLS_AT_ONCE = 5


@sso_oidc.operation("CreateToken", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def create_token(
    call: Call,
    *,
    client_id: str,
    client_secret: str,
    grant_type: str,
    device_code: str | None = None,
    code: str | None = None,
    refresh_token: str | None = None,
    scope: Sequence[str] = (),
    redirect_uri: str | None = None,
    code_verifier: str | None = None,
) -> Result:
    """Exchange a code, once, or a refresh token for an access token and the next refresh token."""
    client = clients.proven(call.keyring, client_id, client_secret, now=call.now)
    if client is None:
        raise refusals.invalid_client()
    if not set(scope) <= set(clients.scopes_of(client).split()):
        raise refusals.invalid_scope()
    match grant_type:
        case "authorization_code":
            grant = _of_code(call, client_id, code or "", redirect_uri or "", code_verifier or "")
        case refusals.DEVICE_CODE:
            grant = _of_device_code(call, client_id, device_code or "")
        case "refresh_token":
            return _refreshed(call, client, client_id, refresh_token or "")
        case _:
            raise refusals.unsupported_grant_type()
    rules = person_sign_in_rules.of_store(call.db, grant.account_id, grant.identity_store_id)
    ends_at = call.now + timedelta(seconds=rules.session_seconds)
    if not person_grants.redeem(call.db, grant.grant_id, expires_at=ends_at):
        # Somebody else has redeemed it at this very moment, and one of the two has stolen it.
        _end(call, grant.grant_id)
        raise refusals.invalid_grant()
    return _tokens(call, client, grant.grant_id)


def _of_code(call: Call, client_id: str, code: str, redirect_uri: str, verifier: str) -> PersonGrantRow:
    """Return the grant of an authorization code. Whoever has a code and gets anything else wrong has come by it wrongly."""
    grant = person_grants.with_code(call.db, programs.digest_of(Token.CODE, code))
    if grant is None:
        raise refusals.invalid_grant()
    is_its_own = clients.digest_of(client_id) == grant.client_digest and redirect_uri == grant.redirect_uri
    is_answered = oauth.is_answered(grant.code_challenge, verifier)
    # A second redemption ends what came of the first (RFC 6749, 4.1.2).
    if grant.state != GIVEN or call.now >= grant.code_expires_at or not is_its_own or not is_answered:
        _end(call, grant.grant_id)
        raise refusals.invalid_grant()
    return grant


def _of_device_code(call: Call, client_id: str, device_code: str) -> PersonGrantRow:
    grant = person_grants.with_code(call.db, programs.digest_of(Token.DEVICE_CODE, device_code))
    if grant is None or clients.digest_of(client_id) != grant.client_digest:
        raise refusals.invalid_grant()
    if grant.state == REFUSED:
        raise errors.AccessDenied("", members=refusals.members("access_denied", "The person has refused."))
    # A second redemption ends what came of the first, as with a code: one of the two parties has stolen it.
    if grant.state == REDEEMED:
        _end(call, grant.grant_id)
        raise refusals.invalid_grant()
    if call.now >= grant.code_expires_at:
        raise errors.ExpiredDeviceCode("", members=refusals.members("expired_token", "The device code has expired: begin anew."))
    if grant.state == WAITING:
        _require_patience(call, grant)
        raise errors.AuthorizationPending(
            "", members=refusals.members("authorization_pending", "The person has not decided yet.")
        )
    return grant


def _require_patience(call: Call, grant: PersonGrantRow) -> None:
    """Count a poll; raises SlowDownException for a program that polls more often than it was told to (RFC 8628, section 3.5).

    The AWS CLI asks twice before it waits. Whoever waits five seconds longer, as the RFC says, is soon within the limit again.
    """
    waited = (call.now - grant.created_at).total_seconds()
    if grant.polls >= POLLS_AT_ONCE + waited / INTERVAL_SECONDS:
        raise errors.SlowDown("", members=refusals.members("slow_down", "Too many polls: wait five seconds longer for the next."))
    call.notes.lasting.append(lambda db: person_grants.poll(db, grant.grant_id))


def _refreshed(call: Call, client: Client, client_id: str, refresh_token: str) -> Result:
    digest = programs.digest_of(Token.REFRESH, refresh_token)
    token = person_grants.tokens.with_digest(call.db, digest)
    grant = None if token is None or call.now >= token.expires_at else person_grants.with_id(call.db, token.grant_id)
    if token is None or grant is None or clients.digest_of(client_id) != grant.client_digest:
        raise refusals.invalid_grant()
    # One that was exchanged a while ago is known to two parties (RFC 9700, 4.14.2): the grant ends.
    if token.spent_at is not None and call.now - token.spent_at >= GRACE:
        _end(call, grant.grant_id)
        raise refusals.invalid_grant()
    person_grants.tokens.spend(call.db, digest, at=call.now)
    return _tokens(call, client, grant.grant_id)


def _tokens(call: Call, client: Client, grant_id: str) -> Result:
    """Make the tokens of a grant; a program that registered no scope gets one that lasts, and none to refresh it with."""
    grant = person_grants.with_id(call.db, grant_id)
    found = None if grant is None else programs.of_grant(call, grant)
    if grant is None or found is None:
        raise refusals.invalid_grant()
    call.notes.vouched = found.person
    call.notes.additional["UserName"] = found.person.name
    is_renewed = bool(client.scopes)
    # Never beyond the grant: refreshing must not make a session longer than the instance's rules let it be.
    ends_at = min(call.now + ACCESS_LIFETIME, grant.expires_at) if is_renewed else grant.expires_at
    answer: dict[str, object] = {
        "accessToken": _token(call, grant, Token.ACCESS, ends_at),
        "tokenType": "Bearer",
        "expiresIn": max(1, int((ends_at - call.now).total_seconds())),
    }
    if is_renewed:
        answer["refreshToken"] = _token(call, grant, Token.REFRESH, grant.expires_at)
    return answer


def _token(call: Call, grant: PersonGrantRow, kind: Token, expires_at: datetime) -> str:
    token = programs.mint().reveal()
    row = GrantTokenRow(programs.digest_of(kind, token), grant.grant_id, grant.account_id, None, expires_at)
    person_grants.tokens.add(call.db, row)
    return token


def _end(call: Call, grant_id: str) -> None:
    """End a grant for good, although the call is refused."""
    call.notes.lasting.append(lambda db: person_grants.end(db, grant_id))
