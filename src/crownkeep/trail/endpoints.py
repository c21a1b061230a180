"""A bucket at an S3-compatible server: objects are put there, signed with the key that the operator gave.

The operator alone names endpoints, so they may lie in the operator's own network. Nothing that the server says decides anything
but whether it took the object, and no redirection is followed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from crownkeep import clock
from crownkeep.credentials.secret import Secret
from crownkeep.domain.hanging_up import http_connection
from crownkeep.trail.directories import BucketRefused

SECONDS = 30.0
"""Within which a server must have taken an object."""
_LONGEST_ANSWER = 4096
_LONGEST_TOLD = 200
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class EndpointBucket:
    """The objects of one bucket at a server."""

    url: str
    region: str
    name: str
    access_key_id: str
    secret: Secret

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Have the server keep an object; raises BucketRefused where it does not."""
        parts = urlsplit(self.url)
        path = f"{parts.path.rstrip('/')}/{self.name}/{quote(key, safe='/-_.~')}"
        headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
        try:
            with http_connection(parts, SECONDS) as connection:
                connection.request("PUT", path, body, self._signed(parts.netloc, path, headers, body))
                answer = connection.getresponse()
                said = answer.read(_LONGEST_ANSWER)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BucketRefused(
                f"RequestTimeout: `{parts.netloc}` does not answer as it should ({type(error).__name__})"
            ) from error
        if answer.status != http.client.OK:
            code = _CODE.search(said)
            message = code[1].decode() if code else f"Status{answer.status}"
            raise BucketRefused(f"{message}: `{parts.netloc}` answered with status {answer.status}"[:_LONGEST_TOLD])

    def _signed(self, host: str, path: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return all headers of a request with its signature (AWS Signature Version 4)."""
        now = clock.now().strftime("%Y%m%dT%H%M%SZ")
        given = dict(headers) | {
            "content-type": "application/x-gzip",
            "host": host,
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-amz-date": now,
        }
        names = ";".join(sorted(given))
        canonical = "\n".join(["PUT", path, "", *(f"{name}:{given[name].strip()}" for name in sorted(given)), "", names])
        request = hashlib.sha256(f"{canonical}\n{given['x-amz-content-sha256']}".encode()).hexdigest()
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        key = f"AWS4{self.secret.reveal()}".encode()
        for part in (now[:8], self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{request}".encode(), "sha256").hex()
        credential = f"Credential={self.access_key_id}/{scope}"
        return given | {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"}
