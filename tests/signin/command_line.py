"""A command line that signs in: PKCE, state and proofs made as AWS's own clients make them, and wrong where a test wants."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Crown
from tests.signin.browser import Browser

SAME_DEVICE = "arn:aws:signin:::devtools/same-device"
CROSS_DEVICE = "arn:aws:signin:::devtools/cross-device"
LOOPBACK = "http://127.0.0.1:54321/oauth/callback"


@dataclass
class CommandLine:
    """One attempt to sign in, with a key and a verifier of its own."""

    crown: Crown
    client_id: str = SAME_DEVICE
    redirect_uri: str = LOOPBACK
    state: str = field(default_factory=lambda: str(uuid.uuid4()))
    verifier: str = field(default_factory=lambda: uuid.uuid4().hex * 2)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def address(self, **changes: str | None) -> str:
        """Return the address to open; a change to None leaves a parameter out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "state": self.state,
            "code_challenge_method": "SHA-256",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge,
        }
        given = {name: value for name, value in (parameters | changes).items() if value is not None}
        return f"/v1/authorize?{urlencode(given)}"

    def code(self, browser: Browser) -> str:
        """Let the browser's person agree, and return the code that comes back."""
        answer = browser.submit(browser.get(self.address()), "/v1/authorize", allow="yes")
        assert answer.status == 303, answer.text
        back = parse_qs(urlsplit(answer.header("location") or "").query)
        assert [self.state] == back["state"]
        return back["code"][0]

    def sign_in(self, browser: Browser) -> dict[str, Any]:
        """Return the tokens of a sign-in that goes well."""
        answer = self.redeem(self.code(browser))
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def redeem(self, code: str, **changes: str | None) -> Response:
        """Redeem a code."""
        body: dict[str, str | None] = {
            "clientId": self.client_id,
            "grantType": "authorization_code",
            "code": code,
            "codeVerifier": self.verifier,
            "redirectUri": self.redirect_uri,
        }
        return self.ask(body | changes)

    def refresh(self, token: str, *, proof: str | None = None, host: str = "") -> Response:
        """Exchange a refresh token."""
        return self.ask({"clientId": self.client_id, "grantType": "refresh_token", "refreshToken": token}, proof=proof, host=host)

    def ask(self, body: dict[str, str | None], *, proof: str | None = None, host: str = "") -> Response:
        """Send a request for tokens."""
        given = {name: value for name, value in body.items() if value is not None}
        headers = {"content-type": "application/json", "dpop": self.proof() if proof is None else proof}
        headers |= {"host": host} if host else {}
        return self.crown.request("POST", "/v1/token", headers=headers, body=json.dumps(given).encode())

    def proof(self, *, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        """Make a proof of possession; claims and header members are changed as a test wants."""
        signer = key or self.key
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public(self.key)} | (header or {})
        address = f"{self.crown.settings.url}/v1/token"
        payload = {"htm": "POST", "htu": address, "iat": int(time.time()), "jti": str(uuid.uuid4())} | claims
        registry = jws.JWSRegistry(strict_check_header=False, algorithms=["ES256"])
        return jws.serialize_compact(head, json.dumps(payload).encode(), signer, registry=registry)


def public(key: ECKey) -> dict[str, str]:
    """Return a key as a proof names it."""
    members = key.as_dict(private=False)
    return {name: str(members[name]) for name in ("kty", "crv", "x", "y")}


def claims(token: str) -> dict[str, Any]:
    """Return what a JWT says, unverified as the AWS CLI reads it."""
    part = token.split(".")[1]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read
