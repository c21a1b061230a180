"""Programs register themselves, and ask for what a person is to allow elsewhere. Strangers may: they gain nothing by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crownkeep import clock, errors
from crownkeep.domain.single_sign_on import clients
from crownkeep.domain.single_sign_on.clients import Client
from crownkeep.operations.call import Call, Result
from crownkeep.operations.record import NOBODY
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.services.sso_oidc import refusals, tokens
from crownkeep.services.sso_oidc.service import sso_oidc
from crownkeep.signin import people, person_passwords, programs, recovery, throttle
from crownkeep.signin.programs import Token
from crownkeep.storage.single_sign_on import person_grants
from crownkeep.storage.single_sign_on.person_grants import WAITING, PersonGrantRow

MOST_FROM_NETWORK = 120
"""Device authorizations that one network may ask for within an hour."""

_LONGEST_NAME = 128
_MOST_URIS = 5
_LONGEST_URI = 256
_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", refusals.DEVICE_CODE})


@sso_oidc.operation("RegisterClient", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def register_client(
    call: Call,
    *,
    client_name: str,
    client_type: str,
    scopes: Sequence[str] = (),
    redirect_uris: Sequence[str] = (),
    grant_types: Sequence[str] = (),
    issuer_url: str | None = None,
    entitled_application_arn: str | None = None,
) -> Result:
    """Register a program that keeps no secret; what it says of itself is in its client id, and nothing is stored."""
    if client_type != "public":
        raise refusals.invalid_request("Only public clients are registered here.")
    if entitled_application_arn is not None:
        raise refusals.invalid_request("Applications are not served here: leave entitledApplicationArn out.")
    if not client_name or len(client_name) > _LONGEST_NAME:
        raise refusals.invalid_request("clientName has 1 to 128 characters.")
    if set(grant_types) - _GRANT_TYPES:
        raise refusals.unsupported_grant_type()
    if not set(scopes) <= set(clients.SCOPES):
        raise refusals.invalid_scope()
    if len(redirect_uris) > _MOST_URIS or not all(len(uri) <= _LONGEST_URI and clients.is_loopback(uri) for uri in redirect_uris):
        message = "A code is sent to a loopback address alone, such as http://127.0.0.1/oauth/callback."
        raise errors.InvalidRedirectUri("", members=refusals.members("invalid_redirect_uri", message))
    until = call.now + clients.LASTS
    start = clients.instance_in((issuer_url or "")[:_LONGEST_URI])
    client = Client(client_name, tuple(redirect_uris), tuple(scopes), start, until)
    client_id, secret = clients.register(call.keyring, client)
    return {
        "clientId": client_id,
        "clientSecret": secret.reveal(),
        "clientIdIssuedAt": int(call.now.timestamp()),
        "clientSecretExpiresAt": int(until.timestamp()),
        "authorizationEndpoint": f"{call.settings.url}/authorize",
        "tokenEndpoint": f"{call.settings.url}/token",
    }


@sso_oidc.operation("StartDeviceAuthorization", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def start_device_authorization(call: Call, *, client_id: str, client_secret: str, start_url: str) -> Result:
    """Ask for what a person is to allow in a browser, by a code that they compare (RFC 8628)."""
    client = clients.proven(call.keyring, client_id, client_secret, now=call.now)
    if client is None:
        raise refusals.invalid_client()
    start = clients.instance_in(start_url)
    if not start:
        raise refusals.invalid_request("The start URL names no instance.")
    network = throttle.network(call.origin.source_ip)
    if recovery.count(call.db, call.wiring, "device authorization", network, now=call.now) > MOST_FROM_NETWORK:
        raise errors.SlowDown("", members=refusals.members("slow_down", "Too many device authorizations from here."))
    device_code, user_code, until = programs.mint().reveal(), programs.mint_user_code(), call.now + programs.CODE_LIFETIME
    person_grants.forget(call.db, before=call.now)
    person_grants.add(call.db, _waiting(call, client, client_id, start, device_code, user_code, until))
    # Whether there is such an instance shows only to people who sign in to it.
    address = f"{call.settings.url}{person_passwords.start_path(start)}/device"
    return {
        "deviceCode": device_code,
        "userCode": user_code,
        "verificationUri": address,
        "verificationUriComplete": f"{address}?user_code={user_code}",
        "expiresIn": int(programs.CODE_LIFETIME.total_seconds()),
        "interval": tokens.INTERVAL_SECONDS,
    }


def _waiting(
    call: Call, client: Client, client_id: str, start: str, device_code: str, user_code: str, until: datetime
) -> PersonGrantRow:
    instance = people.instance_named(call.db, start)
    return PersonGrantRow(
        grant_id=clock.token_bytes(16).hex(),
        account_id=instance.account_id if instance is not None else NOBODY,
        identity_store_id=instance.identity_store_id if instance is not None else "",
        client_digest=clients.digest_of(client_id),
        client_name=client.name,
        state=WAITING,
        code_digest=programs.digest_of(Token.DEVICE_CODE, device_code),
        user_code_digest=programs.digest_of(Token.USER_CODE, user_code),
        redirect_uri="",
        code_challenge="",
        asked_from=call.origin.source_ip[:64],
        user_agent=call.origin.user_agent[:512],
        owner_id=None,
        session_digest=None,
        created_at=call.now,
        code_expires_at=until,
        expires_at=until,
        scopes=clients.scopes_of(client),
    )
