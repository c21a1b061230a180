"""Signatures as claimed: who says to have signed a request, when, for which service; nothing is believed yet."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from crownkeep import errors
from crownkeep.arn import GLOBAL_REGION
from crownkeep.models import regions
from crownkeep.values import value_type

CLOCK_SKEW = timedelta(minutes=5)
"""How far a client's clock may be from ours, either way."""

LONGEST_PRESIGNED = 604_800
"""Seconds that a presigned URL may ask for at most: a week."""

# CloudFront adds the first underway; the second only claims what we hash ourselves; the third is sealed and bound to the
# key id, and some clients add it after signing ("post-sts-header-after" of AWS's test suite).
_MAY_STAY_UNSIGNED = frozenset({b"x-amz-cf-id", b"x-amz-content-sha256", b"x-amz-security-token"})

_CREDENTIAL = re.compile(
    rb"AWS4-HMAC-SHA256 Credential=(?P<key>[A-Za-z0-9]+)/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]{1,64})"
    rb"/(?P<service>[a-z0-9-]{1,64})/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature="
)
_HEX_SHA256 = re.compile(rb"[0-9a-f]{64}")
_LENGTH_OF_SIGNATURE = 64
_LONGEST_CREDENTIAL = 512
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_SERVICE = re.compile(r"[A-Za-z0-9-]{1,64}")
_QUERY_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


class Algorithm(Enum):
    """The signing algorithms that are accepted."""

    HMAC = "AWS4-HMAC-SHA256"
    ECDSA = "AWS4-ECDSA-P256-SHA256"


@value_type(frozen=True, slots=True)
class SignableRequest:
    """The parts of an HTTP request that signatures cover, exactly as they came; its repr keeps passwords to itself."""

    method: str
    path: bytes
    """Still percent-encoded, without the query."""
    query: bytes = field(repr=False)
    headers: Mapping[bytes, bytes] = field(repr=False)
    """Names in lower case, values of equal names joined: see `fold`."""
    body: bytes = field(repr=False)


@value_type(frozen=True, slots=True)
class Signature:
    """What a request claims: who signed it, when, for which service, and the signature itself."""

    algorithm: Algorithm
    access_key_id: str
    date: str
    """The scope's day, YYYYMMDD."""
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    """The moment of signing as it entered the signature, YYYYMMDDTHHMMSSZ."""
    signed_at: datetime
    session_token: str | None = field(default=None, repr=False)
    expires: timedelta | None = None
    """The lifetime of a presigned URL; None when the signature came in the Authorization header."""


def fold(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Join the values of equal names by a comma, in their order (RFC 9110, section 5.3); names are in lower case."""
    folded: dict[bytes, bytes] = {}
    for name, value in headers:
        folded[name] = folded[name] + b"," + value if name in folded else value
    return folded


def parse(request: SignableRequest) -> Signature:
    """Read the signature a request claims, from its Authorization header or its query.

    Raises MissingAuthenticationToken when there is none, IncompleteSignature when it is malformed, and
    SignatureDoesNotMatch when its scope or its list of signed headers cannot be right whatever the key.
    """
    authorization = request.headers.get(b"authorization", b"")
    # The cheap search first: nearly all requests have no `X-Amz-` in their query, and this runs for every one.
    presigned = b"X-Amz-" in request.query and _query_algorithm(request.query) is not None
    # Two signatures are two readers' choice; AWS refuses as well.
    if presigned and authorization:
        raise errors.SignatureDoesNotMatch(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        )
    if presigned:
        return _parse_query(request)
    if not authorization.startswith(b"AWS4-"):
        raise errors.MissingAuthenticationToken("Request is missing Authentication Token")
    return _parse_header(request, authorization)


@dataclass(frozen=True, slots=True)
class _Claim:
    """The parts of a signature before anything about them is believed."""

    algorithm: str
    credential: str
    signed_headers: str
    signature: str
    amz_date: str
    region_set: str = ""
    session_token: str | None = None
    expires: timedelta | None = None


def _parse_header(request: SignableRequest, authorization: bytes) -> Signature:
    moment = _header_moment(request.headers)
    token = request.headers.get(b"x-amz-security-token")
    session_token = None if token is None else token.decode("latin-1")
    # SDKs write the signature last. Cutting it off leaves a text that repeats, which the cache knows.
    credential, claimed = authorization[:-_LENGTH_OF_SIGNATURE], authorization[-_LENGTH_OF_SIGNATURE:]
    usual = _usual(credential) if len(credential) <= _LONGEST_CREDENTIAL and _HEX_SHA256.fullmatch(claimed) else None
    # The scope's day must be the day of signing: the cached part can't know the moment, so it is compared here, as
    # `_check_scope` does.
    if usual is not None and moment is not None and moment.startswith(usual.date):
        _require_signed(usual.names, request.headers)
        return Signature(
            Algorithm.HMAC,
            usual.key_id,
            usual.date,
            usual.region,
            usual.service,
            usual.names,
            claimed.decode(),
            moment,
            _moment(moment),
            session_token,
        )
    return _parse_unusual_header(request, authorization.decode("latin-1"), moment, session_token)


@dataclass(frozen=True, slots=True)
class _Usual:
    """What an Authorization header says before its signature: the same in all requests that one client makes on one day."""

    key_id: str
    date: str
    region: str
    service: str
    names: tuple[str, ...]


@lru_cache(maxsize=4096)
def _usual(credential: bytes) -> _Usual | None:
    """Read a header that is written as SDKs write it, up to its signature; None where it isn't, which AWS says in detail."""
    # `fullmatch` of a cached, bounded text: no pattern here can be made to backtrack by a stranger.
    found = _CREDENTIAL.fullmatch(credential)
    region = found["region"].decode() if found else ""
    if found is None or not regions.exists(region):
        return None
    names = _sorted_names(found["headers"].decode())
    return _Usual(found["key"].decode(), found["date"].decode(), region, found["service"].decode(), names)


def _parse_unusual_header(
    request: SignableRequest, authorization: str, moment: str | None, session_token: str | None
) -> Signature:
    """Read a header that is spaced or ordered in another way, signed by SigV4a, or broken, which AWS says in detail."""
    algorithm, _, rest = authorization.partition(" ")
    pairs = _key_value_pairs(rest, authorization)
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not pairs.get(name)
    ]
    # X-Amz-Date, or Date in its absence: either enters the string to sign (IAM user guide, "Elements of a request signature").
    if moment is None:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing or moment is None:
        raise errors.IncompleteSignature(" ".join((*missing, f"Authorization={algorithm}")))
    region_set = request.headers.get(b"x-amz-region-set", b"").decode("latin-1")
    return _settle(
        _Claim(
            algorithm,
            pairs["Credential"],
            pairs["SignedHeaders"],
            pairs["Signature"],
            moment,
            region_set,
            session_token,
        ),
        request.headers,
    )


def _parse_query(request: SignableRequest) -> Signature:
    pairs = _query_pairs(request.query)
    missing = [f"AWS query-string parameters must include '{name}'." for name in _QUERY_PARAMETERS if not pairs.get(name)]
    if missing:
        raise errors.IncompleteSignature(" ".join((*missing, "Re-examine the query-string parameters.")))
    claim = _Claim(
        algorithm=pairs["X-Amz-Algorithm"],
        credential=pairs["X-Amz-Credential"],
        signed_headers=pairs["X-Amz-SignedHeaders"],
        signature=pairs["X-Amz-Signature"],
        amz_date=pairs["X-Amz-Date"],
        region_set=pairs.get("X-Amz-Region-Set", ""),
        session_token=pairs.get("X-Amz-Security-Token"),
        expires=_lifetime(pairs.get("X-Amz-Expires")),
    )
    return _settle(claim, request.headers)


def _settle(claim: _Claim, headers: Mapping[bytes, bytes]) -> Signature:
    """Check a claim in AWS's order: algorithm, date, signed headers, credential, scope."""
    algorithm = next((known for known in Algorithm if known.value == claim.algorithm), None)
    if algorithm is None:
        raise errors.IncompleteSignature(f"Unsupported AWS 'algorithm': '{claim.algorithm}'.")
    signed_at = _moment(claim.amz_date)
    names = _signed_headers(claim.signed_headers, headers)
    parts = claim.credential.split("/")
    # SigV4a's scope has no Region: one key pair holds in all Regions of the set.
    scope = "keyid/date/region/service/term" if algorithm is Algorithm.HMAC else "keyid/date/service/term"
    if len(parts) != scope.count("/") + 1 or not parts[0]:
        raise errors.IncompleteSignature(
            f"Credential must have exactly {scope.count('/') + 1} slash-delimited elements, e.g. {scope}, got "
            f"'{claim.credential}'"
        )
    if algorithm is Algorithm.ECDSA:
        # An asymmetric signature holds in every region of its set, "*" being all; the scope names none.
        first = claim.region_set.split(",")[0].strip()
        parts.insert(2, first if _REGION.fullmatch(first) else GLOBAL_REGION)
    key_id, date, region, service, terminator = parts
    _check_scope(date, region, service, terminator, amz_date=claim.amz_date)
    return Signature(
        algorithm,
        key_id,
        date,
        region,
        service,
        names,
        claim.signature,
        claim.amz_date,
        signed_at,
        claim.session_token,
        claim.expires,
    )


def _check_scope(date: str, region: str, service: str, terminator: str, *, amz_date: str) -> None:
    faults = []
    if not regions.exists(region):
        faults.append("Credential should be scoped to a valid region. ")
    if not _SERVICE.fullmatch(service):
        faults.append("Credential should be scoped to a valid service. ")
    if terminator != "aws4_request":
        faults.append(f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. ")
    if date != amz_date[:8]:
        faults.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{amz_date[:8]}', from '{amz_date}'."
        )
    if faults:
        raise errors.SignatureDoesNotMatch("".join(faults))


def _signed_headers(listed: str, headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    # Sorted as the canonical request lists them; a client that sent them in another order signs a different text and fails
    # there.
    names = _sorted_names(listed)
    _require_signed(names, headers)
    return names


def _sorted_names(listed: str) -> tuple[str, ...]:
    return tuple(sorted(listed.lower().split(";")))


def _require_signed(names: tuple[str, ...], headers: Mapping[bytes, bytes]) -> None:
    """Refuse a list of signed headers without `host` or without an x-amz header that came.

    An unsigned x-amz header could be added by anybody underway, and x-amz-target alone decides what a request does.
    """
    # `host` binds a signature to the server that it was made for: without it, another server could pass the request on.
    if "host" not in names:
        raise errors.SignatureDoesNotMatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    for name in headers:
        if name.startswith(b"x-amz-") and name not in _MAY_STAY_UNSIGNED and name.decode("latin-1") not in names:
            shown = name.decode("latin-1")
            raise errors.SignatureDoesNotMatch(f"'{shown}' must be a 'SignedHeader' in the AWS Authorization.")


def _key_value_pairs(text: str, authorization: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    # AWS separates by commas, spaces or both, and takes them in any order.
    for part in re.split(r"[,\s]+", text):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise errors.IncompleteSignature(
                f"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
            )
        if name in pairs:
            raise errors.IncompleteSignature(f"'{name}' occurs more than once in Authorization header.")
        pairs[name] = value
    return pairs


def _query_pairs(query: bytes) -> dict[str, str]:
    """Decode the X-Amz parameters of a query; a doubled one is refused, since two readers could choose differently."""
    pairs: dict[str, str] = {}
    for pair in query.split(b"&"):
        if not pair.startswith(b"X-Amz-"):
            continue
        name, _, value = pair.partition(b"=")
        decoded = name.decode("latin-1")
        if decoded in pairs:
            raise errors.IncompleteSignature(f"AWS query-string parameters must include '{decoded}' only once.")
        # Latin-1 keeps each byte as one character: nothing is lost, and what is no ASCII fails the patterns later.
        pairs[decoded] = unquote_to_bytes(value).decode("latin-1")
    return pairs


def _query_algorithm(query: bytes) -> bytes | None:
    return next((pair for pair in query.split(b"&") if pair.startswith(b"X-Amz-Algorithm")), None)


def _lifetime(expires: str | None) -> timedelta:
    # Absent is what SDKs send for services other than S3 when nothing is asked for: then the clock's skew is the limit.
    if expires is None:
        return CLOCK_SKEW
    # `isdigit` alone is true of other scripts' digits, which `int` reads too: two readers could disagree.
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 9):
        raise errors.IncompleteSignature("X-Amz-Expires should be a number")
    seconds = int(expires)
    if not 1 <= seconds <= LONGEST_PRESIGNED:
        raise errors.IncompleteSignature(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{LONGEST_PRESIGNED} seconds"
        )
    return timedelta(seconds=seconds)


def _header_moment(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the moment of signing as it enters the signature, from X-Amz-Date or, failing that, Date."""
    amz_date = headers.get(b"x-amz-date")
    if amz_date is not None:
        return amz_date.decode("latin-1")
    date = headers.get(b"date")
    if date is None:
        return None
    text = date.decode("latin-1")
    # Some clients put the basic form into `Date` as well.
    if _MOMENT.fullmatch(text):
        return text
    try:
        moment = parsedate_to_datetime(text)
        # "-0000" means that the zone is not told (RFC 5322, section 3.3), and must not be read as this machine's own.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        # Passed on as it is: `_moment` refuses it, and quotes it as AWS does.
        return text
    return moment.strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=256)
def _moment(text: str) -> datetime:
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise errors.IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )
