"""The client's side of `aws login`: the address to open, the answer that comes back, and the tokens (PKCE, DPoP).

RFC 8252 (native apps), RFC 7636 (PKCE) and RFC 9449 (DPoP), as AWS's own command line uses them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import http.client
import http.server
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from crownkeep import base64url, clock, untrusted_json
from crownkeep.credentials.secret import Secret

SAME_DEVICE = "arn:aws:signin:::devtools/same-device"
CROSS_DEVICE = "arn:aws:signin:::devtools/cross-device"
PATIENCE = timedelta(minutes=10)
"""How long the browser may take; a code is good for as long."""

_CALLBACK = "/oauth/callback"
_SECONDS_TO_ANSWER = 30
_LARGEST_ANSWER = 64 * 1024
"""Bytes; an answer with both tokens has some 4,000."""
# It goes into the profile, whose lines can name programs to run: so it has no blank and no line break.
_SESSION_NAME = re.compile(r"arn:[\x21-\x7e]{1,2000}", re.ASCII)
_NO_TOKEN = (LookupError, TypeError, ValueError, OverflowError)
"""What is raised where an answer is not as a token is."""
_DONE = b"<!doctype html><title>Signed in</title><p>You can close this page and go back to the command line.</p>"
_REFUSED = b"<!doctype html><title>Not signed in</title><p>Nothing was granted. You can close this page.</p>"


class SignInFailed(Exception):
    """Nobody was signed in, or no longer; the message says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in at an endpoint, with a key, a verifier and a state of its own."""

    endpoint: str
    client_id: str
    redirect_uri: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)
    verifier: Secret = field(default_factory=lambda: Secret(base64url.encode(clock.token_bytes(48))))
    state: str = field(default_factory=lambda: str(UUID(bytes=clock.token_bytes(16))))

    @property
    def address(self) -> str:
        """Where the person goes with a browser."""
        # Only the hash goes through the browser; the verifier itself is shown when the code is redeemed.
        challenge = base64url.encode(hashlib.sha256(self.verifier.reveal().encode()).digest())
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "state": self.state,
            "code_challenge_method": "SHA-256",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge,
        }
        return f"{self.endpoint}/v1/authorize?{urlencode(parameters)}"

    def pasted_code(self, text: str) -> Secret:
        """Return the code in what a person has copied from the browser; raises SignInFailed."""
        try:
            given = parse_qs(base64.b64decode(text.strip(), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError) as error:
            raise SignInFailed("that is not the code that the browser shows: copy all of it") from error
        return self._code(given)

    def _code(self, given: Mapping[str, list[str]]) -> Secret:
        """Return the code in an answer to this attempt; another's may be an attacker's, who wants it redeemed here."""
        # Compared in constant time, like every secret.
        if not compare_digest(given.get("state", [""])[0].encode(), self.state.encode()):
            raise SignInFailed("the answer belongs to another attempt to sign in: start again")
        if "code" not in given:
            raise SignInFailed("the browser's answer grants nothing")
        return Secret(given["code"][0])


class Listener:
    """Waits on this computer's loopback address for the browser to bring the code."""

    def __init__(self) -> None:
        # On the loopback address only, at a port that the system chooses: nobody from outside can bring a code.
        self._server = _Server(("127.0.0.1", 0), _Callback)

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to bring it."""
        return f"http://127.0.0.1:{self._server.server_port}{_CALLBACK}"

    def wait(self, attempt: Attempt) -> Secret:
        """Return the code when it comes; raises SignInFailed after PATIENCE, and where the person refuses."""
        deadline = clock.monotonic() + PATIENCE.total_seconds()
        self._server.attempt = attempt
        # Every request ends one turn, also those that are not the browser's answer.
        while self._server.code is None and not self._server.refused:
            self._server.timeout = deadline - clock.monotonic()
            if self._server.timeout <= 0:
                raise SignInFailed("nobody signed in within ten minutes: start again")
            self._server.handle_request()
        if self._server.code is None:
            raise SignInFailed("nothing was granted: it was refused in the browser")
        return self._server.code

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()


class _Server(http.server.HTTPServer):
    attempt: Attempt
    code: Secret | None = None
    refused = False


class _Callback(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = 5
    """Seconds that a connection may keep others waiting."""

    def do_GET(self) -> None:
        """Take the browser's answer; what does not belong to this attempt is turned away, and waited on for the right one."""
        path, given = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        ours = compare_digest(given.get("state", [""])[0].encode(), self.server.attempt.state.encode())
        if path != _CALLBACK or not ours:
            self.send_error(404)
            return
        if "code" in given:
            self.server.code = Secret(given["code"][0])
        else:
            self.server.refused = True
        body = _DONE if "code" in given else _REFUSED
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address holds the code."""


def redeem(attempt: Attempt, code: Secret) -> tuple[str, dict[str, Any]]:
    """Redeem a code, and return who signed in, by ARN, with what goes into the cache; raises SignInFailed."""
    body = {
        "clientId": attempt.client_id,
        "grantType": "authorization_code",
        "code": code.reveal(),
        "codeVerifier": attempt.verifier.reveal(),
        "redirectUri": attempt.redirect_uri,
    }
    # The proof of possession is made with the attempt's key, so a stolen token is of no use without it.
    output = _ask(attempt.endpoint, body, attempt.key)
    try:
        # The token is not verified: it comes straight from the endpoint, and only its name for the session is used.
        session = str(untrusted_json.read(base64url.decode(str(output["idToken"]).split(".")[1]))["sub"])
        if not _SESSION_NAME.fullmatch(session):
            raise ValueError("the token names no ARN")
        token = {
            "accessToken": _access_token(output, session.split(":")[4]),
            "tokenType": output["tokenType"],
            "clientId": attempt.client_id,
            "refreshToken": output["refreshToken"],
            "idToken": output["idToken"],
            "dpopKey": _written(attempt.key),
        }
    except _NO_TOKEN as error:
        raise SignInFailed(f"what `{attempt.endpoint}` answers is no token: is it the right address") from error
    return session, token


def refresh(endpoint: str, token: Mapping[str, Any]) -> dict[str, Any]:
    """Exchange the refresh token in a cache entry, and return the entry as it is from now on; raises SignInFailed."""
    try:
        key = serialization.load_pem_private_key(str(token["dpopKey"]).encode(), None)
        body = {"clientId": token["clientId"], "grantType": "refresh_token", "refreshToken": token["refreshToken"]}
        account_id = str(token["accessToken"]["accountId"])
        # A cache that was changed by hand is refused before anything is sent.
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SignInFailed("the cache holds another kind of key: sign in again")
    except (KeyError, TypeError, ValueError) as error:
        raise SignInFailed("the cache can't be read: sign in again") from error
    output = _ask(endpoint, body, key)
    try:
        return {**token, "accessToken": _access_token(output, account_id), "refreshToken": output["refreshToken"]}
    except _NO_TOKEN as error:
        raise SignInFailed(f"what `{endpoint}` answers is no token: is it the right address") from error


def expiry(token: Mapping[str, Any]) -> datetime | None:
    """Return when the credentials in a cache entry end; None where that can't be told."""
    try:
        return datetime.fromisoformat(str(token["accessToken"]["expiresAt"]).replace("Z", "+00:00"))
    except (KeyError, TypeError, ValueError):
        return None


def _access_token(output: Mapping[str, Any], account_id: str) -> dict[str, str]:
    expires_at = clock.now() + timedelta(seconds=int(output["expiresIn"]))
    given = output["accessToken"]
    return {
        "accessKeyId": given["accessKeyId"],
        "secretAccessKey": given["secretAccessKey"],
        "sessionToken": given["sessionToken"],
        "accountId": account_id,
        "expiresAt": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _ask(endpoint: str, body: Mapping[str, str], key: ec.EllipticCurvePrivateKey) -> Mapping[str, Any]:
    address = f"{endpoint}/v1/token"
    headers = {"Content-Type": "application/json", "DPoP": _proof(key, address), "User-Agent": "crownkeep-login"}
    # S310: the scheme was checked when the endpoint was read.
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")  # noqa: S310
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER, context=context) as answer:  # noqa: S310 - as above
            output = untrusted_json.read(answer.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        raise SignInFailed(_reason(error)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SignInFailed(f"`{endpoint}` does not answer as it should: see whether the server runs there") from error
    if not isinstance(output, dict):
        raise SignInFailed(f"what `{endpoint}` answers is no token: is it the right address")
    return output


_TOLD = {
    "AUTHCODE_EXPIRED": "the code was used before, or is too old: start again",
    "TOKEN_EXPIRED": "the session is over: sign in again",
    "USER_CREDENTIALS_CHANGED": "the session has ended, or the password or MFA devices have changed: sign in again",
}


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        answer = untrusted_json.read(error.read(_LARGEST_ANSWER))
        return _TOLD.get(answer["error"], str(answer["message"]))
    except (KeyError, TypeError, ValueError, OSError, http.client.HTTPException):
        return f"the server answers {error.code}: is it the right address"


def _proof(key: ec.EllipticCurvePrivateKey, address: str) -> str:
    numbers = key.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url.encode(numbers.x.to_bytes(32, "big")),
        "y": base64url.encode(numbers.y.to_bytes(32, "big")),
    }
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
    proof_id = base64url.encode(clock.token_bytes(16))
    claims = {"htm": "POST", "htu": address, "iat": int(clock.now().timestamp()), "jti": proof_id}
    signed = ".".join(base64url.encode(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    first, second = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{base64url.encode(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"


def _written(key: ec.EllipticCurvePrivateKey) -> str:
    """Write the key as AWS's tools keep it: SEC 1 in PEM."""
    sec1, bare = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, sec1, bare).decode()
