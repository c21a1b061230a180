"""Signature Version 4: whether a request was signed with the secret of the key it names.

The steps are those of "Create a signed AWS API request" (IAM user guide). Nothing here looks a key up:
`signature.parse` reads the claim, the caller finds the secret, `verify` decides.
"""

import hashlib
import re
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest, digest
from urllib.parse import quote_from_bytes, unquote_to_bytes

from crownkeep import errors
from crownkeep.credentials.secret import Secret
from crownkeep.gateway import sigv4a
from crownkeep.gateway.signature import CLOCK_SKEW, Algorithm, SignableRequest, Signature

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)

_SHA256_BLOCK = 64
_UNSIGNED = "UNSIGNED-PAYLOAD"
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

# The payload may stay unsigned, and the path is encoded once, only where S3's own rules hold (S3 API reference,
# "Authenticating requests"); every other service hashes the body and encodes the path twice.
_S3 = frozenset({"s3"})

# STS ignores X-Amz-Expires: Kubernetes authenticators presign GetCallerIdentity with 60 seconds and use the URL for a quarter of
# an hour, and nobody gets more by asking for a week (kubernetes-sigs/aws-iam-authenticator, issues 160 and 258).
_FIXED_LIFETIMES = {"sts": timedelta(minutes=15)}
_LONGEST_CHANGE = timedelta(minutes=15)


def verify(request: SignableRequest, signature: Signature, secret: Secret, *, now: datetime) -> None:
    """Check a request against the secret of the key it names.

    Raises SignatureDoesNotMatch (also for a clock more than CLOCK_SKEW away) or, for a presigned URL past its time,
    RequestExpired.
    """
    # 1. The time, since it costs nothing and a replay must not even make us hash.
    _check_time(signature, now)
    # 2. The canonical request, from the request as it came and not from what the client says about it.
    canonical = canonical_request(request, signature)
    # 3. The string to sign, over the canonical request's hash.
    message = _string_to_sign(signature, canonical)
    # 4. The signature, compared in constant time.
    if signature.algorithm is Algorithm.ECDSA:
        matches = sigv4a.verify(message, signature.signature, key_id=signature.access_key_id, secret=secret.reveal())
    else:
        # The key that signs is derived for one day, Region and service; a leaked one opens nothing else.
        inner, outer = _begun_hmac(secret.reveal(), signature.date, signature.region, signature.service)
        matches = compare_digest(_hmac(inner, outer, message).encode(), signature.signature.encode())
    if not matches:
        raise errors.SignatureDoesNotMatch(MISMATCH)


def check_change(signature: Signature, *, now: datetime) -> None:
    """Refuse a presigned change that is older than a change may be, whatever lifetime its URL asked for.

    A URL lies in histories, logs and chats. What it reads may be shared for a week; what it changes, nobody means to change then.
    """
    # Counted from the signing, not from the URL's first use.
    if signature.expires is not None and now - signature.signed_at > _LONGEST_CHANGE:
        raise errors.RequestExpired("Request has expired.")


def check_service(signature: Signature, *, service: str) -> None:
    """Refuse a signature whose scope names another service than the one addressed."""
    if signature.service != service:
        raise errors.SignatureDoesNotMatch(f"Credential should be scoped to correct service: '{service}'. ")


def canonical_request(request: SignableRequest, signature: Signature) -> bytes:
    """Build the canonical request: method, path, query, signed headers and payload hash, one a line."""
    headers = request.headers
    lines = [
        request.method.encode(),
        _canonical_path(request.path, signature.service),
        _canonical_query(request.query) if request.query else b"",
    ]
    names, listed = _encoded_names(signature.signed_headers)
    for name, start in names:
        # Sequential spaces become one, as AWS's rule has it; `split` without an argument also trims both ends.
        lines.append(start + b" ".join(headers.get(name, b"").split()))
    lines += (b"", listed, _payload_hash(request, signature).encode())
    return b"\n".join(lines)


@lru_cache(maxsize=1024)
def _encoded_names(names: tuple[str, ...]) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """Return each signed header's name with how its line begins, and all of them as the list of names."""
    encoded = tuple(name.encode() for name in names)
    return tuple((name, name + b":") for name in encoded), b";".join(encoded)


def _check_time(signature: Signature, now: datetime) -> None:
    # Two limits: a clock that runs ahead is refused as "not yet current", one that runs behind as expired.
    age = now - signature.signed_at
    if age < -CLOCK_SKEW:
        raise errors.SignatureDoesNotMatch(
            f"Signature not yet current: {signature.amz_date} is still later than {_basic(now + CLOCK_SKEW)} "
            f"({_basic(now)} + 5 min.)"
        )
    fixed = _FIXED_LIFETIMES.get(signature.service)
    if signature.expires is None or fixed is not None:
        # SigV4 in a header has no lifetime of its own: it is good for as long as clocks may differ.
        lifetime = CLOCK_SKEW if signature.expires is None or fixed is None else fixed
        if age > lifetime:
            # SDKs read the two times in this text and cure their clock by them (aws-sdk-js, issue 401).
            raise errors.SignatureDoesNotMatch(
                f"Signature expired: {signature.amz_date} is now earlier than {_basic(now - lifetime)} "
                f"({_basic(now)} - {lifetime // timedelta(minutes=1)} min.)"
            )
    elif age > signature.expires:
        raise errors.RequestExpired("Request has expired.")


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?")


def _canonical_path(path: bytes, service: str) -> bytes:
    """Encode the path once more than it came, without empty and dot segments; S3 takes it literally (and once)."""
    # In a path that matches, no segment begins with a dot and none needs encoding, so it is canonical already.
    if path == b"/" or _PLAIN_PATH.fullmatch(path):
        return path or b"/"
    if service in _S3:
        # An encoded slash belongs to a name and stays encoded, so the segments are encoded one by one.
        return "/".join(quote_from_bytes(unquote_to_bytes(part), safe="~") for part in path.split(b"/")).encode()
    # Encoded although it came encoded: every service but S3 signs the path that is encoded twice.
    return quote_from_bytes(_normalized(path), safe="/~").encode()


def _normalized(path: bytes) -> bytes:
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment not in {b"", b"."}:
            kept.append(segment)
    # A slash at the end is kept only where a segment is left: `/a/..` becomes `/`, not `//`.
    slash = b"/" if kept and path.endswith(b"/") else b""
    return b"/" + b"/".join(kept) + slash


def _canonical_query(query: bytes) -> bytes:
    """Sort the parameters by encoded name, then encoded value; the signature itself is left out."""
    pairs = []
    for pair in query.split(b"&"):
        if not pair:
            continue
        name, _, value = pair.partition(b"=")
        # The only parameter that can't be covered: it is made of all the others.
        if name != b"X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    # Sorted once they are encoded: `a-b` and `a%2Db` are one name, and come to one place.
    pairs.sort()
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def _encoded(raw: bytes) -> str:
    # A plus sign is a space in a query and nowhere else. Signers send it as %20, so both must come to the same text.
    return quote_from_bytes(unquote_to_bytes(raw.replace(b"+", b" ")), safe="~")


def _payload_hash(request: SignableRequest, signature: Signature) -> str:
    """Hash the body that came. What the client says its hash is decides nothing, except for S3's unsigned payloads."""
    # What S3's clients declare is trusted as far as the word UNSIGNED-PAYLOAD: it weakens their own signature and nobody
    # else's. Any other declared hash is ignored.
    if signature.service in _S3:
        declared = request.headers.get(b"x-amz-content-sha256")
        if declared == _UNSIGNED.encode() or (declared is None and signature.expires is not None):
            return _UNSIGNED
    return hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY_SHA256


def _string_to_sign(signature: Signature, canonical: bytes) -> bytes:
    region = f"{signature.region}/" if signature.algorithm is Algorithm.HMAC else ""
    scope = f"{signature.date}/{region}{signature.service}/aws4_request"
    hashed = hashlib.sha256(canonical).hexdigest()
    # An enum's value is looked up by a function of Python's.
    algorithm = "AWS4-HMAC-SHA256" if signature.algorithm is Algorithm.HMAC else signature.algorithm.value
    return f"{algorithm}\n{signature.amz_date}\n{scope}\n{hashed}".encode()


def _hmac(inner: "hashlib._Hash", outer: "hashlib._Hash", message: bytes) -> str:
    """Return the HMAC of a message in hexadecimal, by the two hashes that a key begins (RFC 2104, section 4)."""
    within = inner.copy()
    within.update(message)
    around = outer.copy()
    around.update(within.digest())
    return around.hexdigest()


# Both hashes have taken in the signing key, padded, which is half the work for a message as short as a string to sign. The secret
# itself is part of what they are known by, so a changed one never meets the old signing key.
@lru_cache(maxsize=4096)
def _begun_hmac(secret: str, date: str, region: str, service: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    padded = _signing_key(secret, date, region, service).ljust(_SHA256_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)), hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))


def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = digest(b"AWS4" + secret.encode(), date.encode(), "sha256")
    for part in (region, service, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
