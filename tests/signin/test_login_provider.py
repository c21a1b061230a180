"""botocore's own provider of `aws login` credentials, refreshing against the server in this process."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.credentials
import botocore.session
import botocore.utils
import pytest
import time_machine
from botocore.credentials import LoginProvider
from botocore.exceptions import LoginInsufficientPermissions, LoginRefreshRequired
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from tests.fixtures.clients import Credentials, sender
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, signed_in
from tests.signin.command_line import CommandLine, claims
from tests.signin.test_oauth import DEVELOPER


class SmallKey:
    """What botocore uses of awscrt's `EC`, over `cryptography`: the native library is nobody else's dependency here."""

    def __init__(self, der: bytes) -> None:
        key = serialization.load_der_private_key(der, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    new_key_from_der_data = classmethod(lambda cls, der: cls(der))

    def get_public_coords(self) -> tuple[bytes, bytes]:
        numbers = self._key.public_key().public_numbers()
        return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")

    def sign(self, digest: bytes) -> bytes:
        return self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    @staticmethod
    def decode_der_signature_to_padded_pair(signature: bytes, *, pad_to: int) -> bytes:
        return b"".join(number.to_bytes(pad_to, "big") for number in utils.decode_dss_signature(signature))


@pytest.fixture
def provided(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return the credentials that botocore provides from a cache entry."""
    monkeypatch.setattr(botocore.credentials, "EC", SmallKey)

    def provide(account: Account, line: CommandLine, tokens: dict[str, Any]) -> Any:
        arn = claims(tokens["idToken"])["sub"]
        cache = {botocore.utils.generate_login_cache_key(arn): _entry(account, line, tokens)}
        loader = {"profiles": {"dev": {"login_session": arn}}}
        return LoginProvider(lambda: loader, _clients(account), "dev", token_cache=cache).load()

    return provide


def test_botocores_login_provider_uses_and_refreshes_the_credentials(account: Account, provided: Callable[..., Any]):
    line = CommandLine(account.crown)
    tokens = line.sign_in(signed_in(account))
    credentials = provided(account, line, tokens)
    first = credentials.get_frozen_credentials().access_key

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        frozen = credentials.get_frozen_credentials()
        signer = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
        identity = account.crown.session(signer, "sts").get_caller_identity()

    assert first != frozen.access_key
    assert f"arn:aws:iam::{account.id}:root" == identity["Arn"]


def test_botocore_refreshes_again_and_again_for_the_length_of_the_session(account: Account, provided: Callable[..., Any]):
    line = CommandLine(account.crown)
    credentials = provided(account, line, line.sign_in(signed_in(account)))

    begun, keys = datetime.now(UTC), set()
    for minutes in (15, 30, 45, 600):
        with time_machine.travel(begun + timedelta(minutes=minutes)):
            keys.add(credentials.get_frozen_credentials().access_key)

    assert 4 == len(keys)


def test_botocore_is_told_to_sign_in_again_when_the_session_has_ended(account: Account, provided: Callable[..., Any]):
    line, browser = CommandLine(account.crown), signed_in(account)
    credentials = provided(account, line, line.sign_in(browser))

    _sign_out(browser)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)), pytest.raises(LoginRefreshRequired):
        credentials.get_frozen_credentials()


def test_botocore_is_told_when_permissions_are_missing(account: Account, provided: Callable[..., Any]):
    account.user("ann", arn=DEVELOPER)
    line = CommandLine(account.crown)
    credentials = provided(account, line, line.sign_in(signed_in(account, user="ann")))

    account.client("iam").detach_user_policy(UserName="ann", PolicyArn=DEVELOPER)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)), pytest.raises(LoginInsufficientPermissions):
        credentials.get_frozen_credentials()


def _entry(account: Account, line: CommandLine, tokens: dict[str, Any]) -> dict[str, Any]:
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens["expiresIn"])
    der = line.key.as_der(private=True)
    return {
        "accessToken": tokens["accessToken"] | {"accountId": account.id, "expiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}"},
        "tokenType": tokens["tokenType"],
        "clientId": line.client_id,
        "refreshToken": tokens["refreshToken"],
        "idToken": tokens["idToken"],
        "dpopKey": f"-----BEGIN EC PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END EC PRIVATE KEY-----\n",
    }


def _clients(account: Account) -> Callable[..., Any]:
    session = botocore.session.Session()

    def create(service: str, **options: Any) -> Any:
        client = session.create_client(
            service, **{"region_name": "us-east-1", **options}, endpoint_url=account.crown.settings.url
        )
        client.meta.events.register("before-send", sender(account.crown._served))
        return client

    return create


def _sign_out(browser: Browser) -> None:
    browser.submit(browser.get("/console"), "/signin/step/out")
