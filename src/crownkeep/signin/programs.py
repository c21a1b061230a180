"""Programs that people of single sign-on let act for them (`aws sso login`): codes, tokens, and whom a token stands for.

    browser  GET /authorize, then its form                     services.access_portal: a code, for one use
    program  POST /device_authorization                        services.sso_oidc: a device code, and a code that a person types
    browser  GET /start/ID/device, then its form               services.access_portal: the person allows it, or not
    program  POST /token                                       services.sso_oidc: tokens for a code, and for a refresh token
    program  GET /federation/credentials and its neighbours    services.sso: with the access token

A token is random, and only its digest is kept. A grant ends with the browser session that it was given in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from crownkeep import base64url, clock
from crownkeep.credentials.secret import Secret
from crownkeep.domain.single_sign_on import access, clients
from crownkeep.domain.single_sign_on.access import SignedIn
from crownkeep.operations.call import Call
from crownkeep.principals import Principal
from crownkeep.signin import people
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import person_grants
from crownkeep.storage.single_sign_on.person_grants import REDEEMED, PersonGrantRow

CODE_LIFETIME = timedelta(minutes=10)
"""How long a code may wait: an authorization code for its program, a device code for its person."""

_TOKEN_BYTES = 32
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_HALF = 4


class Token(Enum):
    """The kinds of code and token; each is kept under a digest of its own, so that none can be used as another."""

    CODE = "code"
    DEVICE_CODE = "device code"
    USER_CODE = "user code"
    ACCESS = "access token"
    REFRESH = "refresh token"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom an access token stands for, and by which grant."""

    grant: PersonGrantRow
    person: Principal
    signed_in: SignedIn

    @property
    def caller(self) -> Principal:
        """The person as records of what the token does name them: with the grant, which is no secret, as `credentialId`."""
        return replace(self.person, access_key_id=self.grant.grant_id)


def mint() -> Secret:
    """Return a new code or token."""
    return Secret(base64url.encode(clock.token_bytes(_TOKEN_BYTES)))


def mint_user_code() -> str:
    """Return a code that people type: eight letters of which no word is made."""
    # Of 32 random bits for each letter what is left over favours no letter by more than one in 200 million.
    letters = [_LETTERS[int.from_bytes(clock.token_bytes(4)) % len(_LETTERS)] for _ in range(2 * _HALF)]
    return f"{''.join(letters[:_HALF])}-{''.join(letters[_HALF:])}"


def user_code(typed: str) -> str:
    """Return a user code as it is spelled, however it was typed."""
    letters = "".join(each for each in typed.upper() if each.isalpha())[: 2 * _HALF]
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def digest_of(kind: Token, token: str) -> bytes:
    """Return under which digest a code or token of a kind is kept."""
    return hashlib.sha256(f"crownkeep {kind.value} {token}".encode("utf-8", "surrogatepass")).digest()


def bearer(call: Call, access_token: str, *scopes: str) -> Bearer | None:
    """Return whom an access token stands for; None for one that is unknown, over, whose person or sign-in is gone, or that is
    good for none of these scopes."""
    token = person_grants.tokens.with_digest(call.db, digest_of(Token.ACCESS, access_token))
    grant = None if token is None or call.now >= token.expires_at else person_grants.with_id(call.db, token.grant_id)
    if grant is None or not set(scopes) & set((grant.scopes or clients.SCOPE).split()):
        return None
    return of_grant(call, grant)


def of_grant(call: Call, grant: PersonGrantRow) -> Bearer | None:
    """Return whom a redeemed grant stands for; None where the grant, its sign-in or its person has come to an end."""
    if grant.state != REDEEMED or grant.owner_id is None or grant.session_digest is None or call.now >= grant.expires_at:
        return None
    session = browser_sessions.with_digest(call.db, grant.session_digest)
    instance = people.instance_of(call.db, grant.account_id)
    standing = call.wiring.standings.of_account(call.db, grant.account_id)
    if session is None or session.ended_at is not None or instance is None or standing is None:
        return None
    if not standing.is_active(call.db):
        return None
    person = people.person_with_id(call.db, instance, grant.owner_id)
    if person is None or people.credentials(call.db, person).version != session.credential_version:
        return None
    signed_in = access.person_behind(call, person, sign_in=f"{access.GRANT}{grant.grant_id}", until=grant.expires_at)
    return None if signed_in is None else Bearer(grant, person, signed_in)
