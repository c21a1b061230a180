"""CreateOAuth2Token: a code, and later a refresh token, is exchanged for credentials of fifteen minutes.

Who asks has no signature: the code or refresh token says for whom, and a proof of possession (DPoP) that it is the same client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from crownkeep import clock, errors
from crownkeep.credentials import dpop
from crownkeep.credentials.dpop import DpopProof
from crownkeep.domain.credentials import issue
from crownkeep.errors import AwsError
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.principals import Principal, Session
from crownkeep.services.signin import id_tokens
from crownkeep.services.signin.service import signin
from crownkeep.signin import hosts, oauth
from crownkeep.storage.sign_in import command_line_grants
from crownkeep.storage.sign_in.command_line_grants import GrantRow
from crownkeep.storage.sign_in.grant_tokens import GrantTokenRow

ACCESS_LIFETIME = timedelta(minutes=15)
"""AWS's limit; a program asks for new credentials before it is over."""

GRACE = timedelta(minutes=1)
"""How long an exchanged refresh token may be exchanged again: two programs may share one cache."""

_PATH = "/v1/token"
_TOKEN_BYTES = 32


@signin.operation(
    "CreateOAuth2Token",
    resource=no_resource,
    permission=Permission.NONE,  # The grant decides, and the policies of whoever gave it, in the handler.
    effect=Effect.STATE,
)
def create_oauth2_token(call: Call, *, token_input: Mapping[str, str]) -> Result:
    """Exchange a code, once, or a refresh token for credentials and the next refresh token (API_CreateOAuth2Token)."""
    proof = _proof(call)
    if token_input["grantType"] == "authorization_code":
        return {"tokenOutput": _redeem(call, token_input, proof)}
    return {"tokenOutput": _refresh(call, token_input, proof)}


def _redeem(call: Call, asked: Mapping[str, str], proof: DpopProof) -> dict[str, object]:
    """Redeem a code. Whoever has a code and gets anything else wrong has come by it wrongly: the grant ends (RFC 9700, 2.1.1)."""
    # 1. The code must be known, unredeemed and fresh; a second redemption ends what came of the first (RFC 6749, 4.1.2).
    digest = oauth.digest_of(_required(asked, "code"))
    found = command_line_grants.with_code(call.db, digest)
    if found is None:
        raise _denied("AUTHCODE_EXPIRED", "The authorization code is invalid, expired or was used before.")
    call = _acting(call, found)
    grant = command_line_grants.with_code(call.db, digest)
    if grant is None or grant.key_thumbprint is not None or call.now >= grant.code_expires_at:
        _end(call, found)
        raise _denied("AUTHCODE_EXPIRED", "The authorization code is invalid, expired or was used before.")
    # 2. It must be the client that asked for it, with the verifier of the challenge that it sent.
    same_client = (asked["clientId"], asked.get("redirectUri", "")) == (grant.client_id, grant.redirect_uri)
    if not same_client or not oauth.is_answered(grant.code_challenge, _required(asked, "codeVerifier")):
        _end(call, grant)
        raise _invalid("The authorization code was not issued for this client, redirect URI and code verifier.")
    # 3. The proof must be new, the grant still good, and its principal allowed to.
    _require(call, grant, proof, asked["grantType"])
    # 4. From now on the grant is bound to the key of the proof.
    command_line_grants.redeem(call.db, grant.grant_id, key_thumbprint=proof.thumbprint)
    output, seconds = _output(call, grant)
    return {**output, "idToken": id_tokens.mint(call, call.principal, client_id=grant.client_id, seconds=seconds)}


def _refresh(call: Call, asked: Mapping[str, str], proof: DpopProof) -> dict[str, object]:
    """Exchange a refresh token, which is of use to the key that it is bound to and to no other."""
    digest = oauth.digest_of(_required(asked, "refreshToken"))
    # 1. The token must be known and its grant there.
    known = command_line_grants.tokens.with_digest(call.db, digest)
    found = command_line_grants.with_id(call.db, known.grant_id) if known else None
    if found is None:
        raise _denied("TOKEN_EXPIRED", "The refresh token is invalid or expired.")
    call = _acting(call, found)
    # 2. The client and its key must be the same. A thief without the key must not be able to end the grant either.
    if asked["clientId"] != found.client_id or proof.thumbprint != found.key_thumbprint:
        raise _invalid("The refresh token was issued to another client or bound to another key.")
    token = command_line_grants.tokens.with_digest(call.db, digest)
    if token is None or call.now >= min(token.expires_at, found.expires_at):
        raise _denied("TOKEN_EXPIRED", "The refresh token is invalid or expired.")
    # 3. One that was exchanged long ago is known to two parties (RFC 9700, 4.14.2): the grant ends.
    if token.spent_at is not None and call.now - token.spent_at >= GRACE:
        _end(call, found)
        raise _denied("TOKEN_EXPIRED", "The refresh token is invalid or expired.")
    # 4. The proof must be new, the grant still good, and its principal allowed to.
    _require(call, found, proof, asked["grantType"])
    command_line_grants.tokens.spend(call.db, digest, at=call.now)
    return _output(call, found)[0]


def _proof(call: Call) -> DpopProof:
    # A Host header is believed where it is a name of ours: a proof made for another server must not be good here.
    visited = hosts.visited(call.settings, call.origin.host, call.origin.scheme)
    bases = {call.settings.url} | ({visited.base} if visited else set())
    addresses = frozenset(f"{base}{_PATH}" for base in bases)
    try:
        return dpop.verify(call.origin.dpop, method="POST", addresses=addresses, now=call.now)
    except dpop.InvalidProof as fault:
        raise _invalid(f"The DPoP proof was refused: {fault}.") from fault


def _acting(call: Call, grant: GrantRow) -> Call:
    """Return the call of whoever gave the grant: its account is held, and the record names them."""
    principal = oauth.principal_of(grant)
    call.notes.vouched = principal
    standing = call.wiring.standings.held(call.db, principal)
    return replace(call, account_id=principal.account_id, caller=principal, standing=standing)


def _require(call: Call, grant: GrantRow, proof: DpopProof, grant_type: str) -> None:
    if not command_line_grants.see_proof(call.db, proof.digest, grant.account_id, expires_at=proof.expires_at):
        raise _invalid("The DPoP proof was refused: it was used before.")
    try:
        call.standing.vouch(call.db, call.principal)
    except errors.InvalidClientTokenId as fault:
        raise _changed() from fault
    if not oauth.holds(call.db, grant):
        raise _changed()
    if call.now >= grant.expires_at:
        raise _denied("TOKEN_EXPIRED", "The session is over.")
    target = oauth.target(call.principal, grant.client_id, call.origin, redirect_uri=grant.redirect_uri, grant_type=grant_type)
    try:
        authorize.require_action(call, "signin:CreateOAuth2Token", target)
    except errors.AccessDenied as refusal:
        raise _denied("INSUFFICIENT_PERMISSIONS", refusal.message) from refusal


def _output(call: Call, grant: GrantRow) -> tuple[dict[str, object], int]:
    expires_at = min(call.now + ACCESS_LIFETIME, grant.expires_at)
    seconds = max(1, int((expires_at - call.now).total_seconds()))
    principal = call.standing.vouch(call.db, call.principal)
    try:
        issued = issue.credentials(call, principal, _session(call, principal, seconds))
    except errors.PackedPolicyTooLarge as refusal:
        # STS's error, which this service's model doesn't have.
        raise _invalid(refusal.message) from refusal
    refresh = clock.token_bytes(_TOKEN_BYTES)
    spelled = oauth.spelled(refresh).reveal()
    row = GrantTokenRow(oauth.digest_of(spelled), grant.grant_id, grant.account_id, None, grant.expires_at)
    command_line_grants.tokens.add(call.db, row)
    output: dict[str, object] = {
        "accessToken": {
            "accessKeyId": issued["AccessKeyId"],
            "secretAccessKey": issued["SecretAccessKey"],
            "sessionToken": issued["SessionToken"],
        },
        "tokenType": "aws_sigv4",
        "expiresIn": seconds,
        "refreshToken": spelled,
    }
    return output, seconds


def _session(call: Call, principal: Principal, seconds: int) -> Session:
    """Return the session of the credentials: that of the browser, with its second factor, but shorter."""
    expires_at = call.now + timedelta(seconds=seconds)
    if principal.session is None:
        return Session(call.now, expires_at, from_console=True)
    # Issued when its person signed in: a policy that revokes older sessions (aws:TokenIssueTime) must find this one.
    return replace(principal.session, expires_at=expires_at)


def _end(call: Call, grant: GrantRow) -> None:
    """End a grant for good, although the call is refused."""
    call.notes.lasting.append(lambda db: command_line_grants.end(db, grant.grant_id))


def _required(asked: Mapping[str, str], name: str) -> str:
    if not asked.get(name):
        raise _invalid(f"The parameter {name} is required for the grant type {asked['grantType']}.")
    return asked[name]


def _changed() -> AwsError:
    return _denied("USER_CREDENTIALS_CHANGED", "The session has ended, or the credentials it was opened with have changed.")


def _denied(code: str, text: str) -> AwsError:
    return errors.AccessDenied(text, members={"error": code})


def _invalid(text: str) -> AwsError:
    return errors.ValidationError(text, members={"error": "INVALID_REQUEST"})
