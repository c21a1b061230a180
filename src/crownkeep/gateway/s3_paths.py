"""Where a request to S3 names its bucket: in the path, or in the host before the server's own name (virtual-host style)."""

from __future__ import annotations

import re

SCOPE = "s3"
"""The service that a signature for S3 is scoped to."""

_THIS_COMPUTER = "localhost"
_ENDPOINT = re.compile(r"(?P<bucket>[a-z0-9.-]+?)\.s3(?:[.-][a-z0-9.-]+)?")


def is_signed(authorization: str, query: bytes) -> bool:
    """Tell whether a request claims to be signed for S3: whoever does is answered as S3 answers, whatever the path is."""
    if authorization.startswith("AWS4-"):
        return "/s3/aws4_request" in authorization.partition(",")[0]
    return b"X-Amz-Credential=" in query and b"%2Fs3%2Faws4_request" in query


def path_style(path: str, host: str, own_host: str) -> str:
    """Return the path as it would be with the bucket in it, and without the slash that may end a bucket's own path.

    `host` is the request's Host header, `own_host` the name that people and clients reach this server by.
    """
    bucket = _bucket(_name(host), own_host.lower())
    if bucket:
        path = f"/{bucket}" if path in ("", "/") else f"/{bucket}{path}"
    return path[:-1] if path.count("/") == 2 and path.endswith("/") else path


def _name(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdecimal() else host.lower()


def _bucket(host: str, own_host: str) -> str:
    if host == own_host:
        return ""
    for suffix in (own_host, _THIS_COMPUTER):
        if suffix and host.endswith(f".{suffix}"):
            return host.removesuffix(f".{suffix}").removesuffix(".s3")
    found = _ENDPOINT.fullmatch(host)
    return found["bucket"] if found else ""
