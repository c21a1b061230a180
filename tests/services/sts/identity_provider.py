"""An OpenID Connect provider of this test process: HTTPS on this machine, with a certificate of its own authority."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey

# Tests move time; certificates and sockets don't know.
_BEGIN, _END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)


class IdentityProvider:
    """A provider whose keys and answers a test can change."""

    def __init__(self, port: int, authority: Path, thumbprint: str) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.name = f"127.0.0.1:{port}"
        self.authority = authority
        self.thumbprint = thumbprint
        self.key = ECKey.generate_key("P-256", parameters={"kid": "k1", "use": "sig"})
        self.asked: list[str] = []
        self.answers: dict[str, Callable[[], tuple[int, bytes, dict[str, str]]]] = {}

    def token(self, key: Any = None, **claims: Any) -> str:
        """Sign a token; claims are added to, or in the place of, those of a good one, and left out where None."""
        now = int(datetime.now(UTC).timestamp())
        good = {"iss": self.url, "sub": "person-1", "aud": "client-1", "iat": now, "exp": now + 600}
        payload = {name: value for name, value in (good | claims).items() if value is not None}
        signing = key or self.key
        return jwt.encode({"alg": "ES256", "kid": signing.kid}, payload, signing, algorithms=["ES256"])

    def posted(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Return what is answered to a form."""
        return 404, b"", {}

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return what is asked for a path."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode(), {}
        if path == "/keys":
            return 200, json.dumps({"keys": [self.key.as_dict(private=False)]}).encode(), {}
        return 404, b"", {}


Provider = TypeVar("Provider", bound=IdentityProvider)


@contextmanager
def identity_provider(directory: Path) -> Iterator[IdentityProvider]:
    """Serve a provider for as long as the test needs it."""
    with served(directory, IdentityProvider) as provider:
        yield provider


@contextmanager
def served(directory: Path, kind: type[Provider]) -> Iterator[Provider]:
    """Serve a provider of a kind for as long as the test needs it."""
    made = _certificates(directory)
    provider: list[Provider] = []

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider[0].answer(self.path))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._send(*provider[0].posted(self.path, sent, dict(self.headers)))

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.append(kind(server.server_address[1], made.authority, made.thumbprint))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _certificates:  # noqa: N801 - made once, used as a value
    def __init__(self, directory: Path) -> None:
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("test authority", authority_key.public_key(), "test authority", authority_key, is_authority=True)
        own = _certificate("127.0.0.1", key.public_key(), "test authority", authority_key, is_authority=False)
        self.authority, self.chain, self.key = (directory / name for name in ("authority.pem", "chain.pem", "key.pem"))
        pem = serialization.Encoding.PEM
        self.authority.write_bytes(authority.public_bytes(pem))
        self.chain.write_bytes(own.public_bytes(pem) + authority.public_bytes(pem))
        self.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.thumbprint = authority.fingerprint(hashes.SHA1()).hex()


def _certificate(name: str, key: Any, issuer: str, issuer_key: Any, *, is_authority: bool) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END - timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
