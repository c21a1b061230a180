"""Signed requests as bytes, made before anything is measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose requests they are, and which server they are for."""

    access_key_id: str
    secret_access_key: str
    port: int
    session_token: str | None = None

    def sign(self, service: str, action: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Return one HTTP/1.1 request of the query protocol."""
        body = urlencode({"Action": action, "Version": _VERSIONS[service], **(parameters or {})}).encode()
        return self._signed(service, body, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})

    def _signed(self, service: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        address = f"127.0.0.1:{self.port}"
        request = AWSRequest(method="POST", url=f"http://{address}/", data=body, headers={**headers, "Host": address})
        SigV4Auth(Credentials(self.access_key_id, self.secret_access_key, self.session_token), service, "us-east-1").add_auth(
            request
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def target(self, service: str, target: str, parameters: Mapping[str, object]) -> bytes:
        """Return one HTTP/1.1 request of the JSON protocol."""
        body = json.dumps(parameters).encode()
        return self._signed(service, body, {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target})

    def create_role(self, name: str, *, account_id: str) -> bytes:
        """Return a CreateRole for a role that everybody of the account may take on who is allowed to."""
        trust = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return self.sign("iam", "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": document})

    def create_users(self, names: Iterable[str]) -> list[bytes]:
        """Return a CreateUser for each name."""
        return [self.sign("iam", "CreateUser", {"UserName": name}) for name in names]
