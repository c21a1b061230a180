"""An OpenID Connect provider as the specifications have it: authorization code with PKCE, for one client, over real TLS."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.services.sts.identity_provider import IdentityProvider

CLIENT_ID, CLIENT_SECRET = "crownkeep", "s3cret/with:letters +"


@dataclass
class Grant:
    """A code that was given out, and what it is exchanged with."""

    redirect_uri: str
    challenge: str
    nonce: str
    claims: dict[str, Any]


@dataclass
class Misconduct:
    """What a provider does that is none, or is somebody else's."""

    nonce: str | None = None
    no_pkce: bool = False
    token: str = ""
    claims: dict[str, Any] = field(default_factory=dict)


class OpenIdProvider(IdentityProvider):
    """The provider, and who sits at its page."""

    def __init__(self, port: int, authority: Path, thumbprint: str) -> None:
        super().__init__(port, authority, thumbprint)
        self.grants: dict[str, Grant] = {}
        self.person: dict[str, Any] = {"sub": "00u-ann"}
        self.refuses = ""
        self.misconduct = Misconduct()
        self.answers["/.well-known/openid-configuration"] = lambda: (200, json.dumps(self.published()).encode(), {})

    def published(self) -> dict[str, Any]:
        """Return the metadata (OpenID Connect Discovery 1.0)."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def visit(self, address: str) -> str:
        """Open the provider's page as a browser does, and return where it sends the browser."""
        parts = urlsplit(address)
        trusting = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPSConnection(str(parts.hostname), parts.port or 443, context=trusting, timeout=5)
        connection.request("GET", f"{parts.path}?{parts.query}")
        location = connection.getresponse().headers["Location"]
        connection.close()
        return str(location)

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Serve a GET: the authorization endpoint (RFC 6749, 4.1.1), and what every provider has."""
        parts = urlsplit(path)
        if parts.path != "/authorize":
            return super().answer(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert ("code", CLIENT_ID, "S256") == (asked["response_type"], asked["client_id"], asked["code_challenge_method"])
        assert "openid" in asked["scope"].split()
        reply = {"state": asked["state"], "iss": self.url}
        if self.refuses:
            return 302, b"", {"Location": f"{asked['redirect_uri']}?{urlencode({**reply, 'error': self.refuses})}"}
        code = secrets.token_urlsafe(16)
        self.grants[code] = Grant(asked["redirect_uri"], asked["code_challenge"], asked["nonce"], dict(self.person))
        return 302, b"", {"Location": f"{asked['redirect_uri']}?{urlencode({**reply, 'code': code})}"}

    def posted(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Exchange a code, once, for an ID token (RFC 6749, 4.1.3; RFC 7636, 4.6)."""
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        user, _, password = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        grant = self.grants.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).decode().rstrip("=")
        is_client = (CLIENT_ID, CLIENT_SECRET) == (unquote(user), unquote(password))
        fits = grant is not None and grant.redirect_uri == sent["redirect_uri"]
        fits = fits and (self.misconduct.no_pkce or grant.challenge == challenge)
        if path != "/token" or not is_client or not fits or sent["grant_type"] != "authorization_code":
            return 400, b'{"error": "invalid_grant"}', {}
        nonce = grant.nonce if self.misconduct.nonce is None else self.misconduct.nonce
        claims = {"aud": CLIENT_ID, "nonce": nonce, **grant.claims, **self.misconduct.claims}
        token = self.misconduct.token or self.token(**claims)
        return 200, json.dumps({"access_token": "unused", "token_type": "Bearer", "id_token": token}).encode(), {}
