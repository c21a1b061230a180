"""Web identity tokens: ID tokens of OpenID Connect providers, verified against the keys that the provider publishes.

RFC 7519 (JWT), RFC 7517 (JWK) and OpenID Connect Core 1.0, section 3.1.3.7; which claims AWS reads is in the IAM user guide,
"Available keys for AWS OIDC federation" and "Pass session tags in AWS STS".
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from crownkeep import base64url
from crownkeep.credentials import rsa_keys

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""What AWS takes; a token that is signed with a shared secret, or not at all, proves nothing to anybody else."""

LONGEST = 20_000
"""Characters of the longest token that is looked at (the model's limit of `WebIdentityToken`)."""

MOST_KEYS = 200
_MOST_TRIED = 8
"""Keys that a token is tried against, where more than one may have signed it."""
_SMALLEST_RSA_BITS = 2048
_LEEWAY = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""
_TAGS = "https://aws.amazon.com/tags"
_ROLES = "https://aws.amazon.com/roles"
_SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"

Key = RSAKey | ECKey


class InvalidWebIdentity(ValueError):
    """A token proves nothing; the message is AWS's own text where AWS has one."""


class ExpiredWebIdentity(InvalidWebIdentity):
    """A token was good once."""


class UnknownKey(InvalidWebIdentity):
    """A token is signed with a key that isn't among the provider's; it may have been published since."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token says before anything of it is believed: which provider to ask, and for which key."""

    issuer: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One key of a provider; `id` is None where the provider has named none."""

    id: str | None
    key: Key


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a verified token says."""

    issuer: str
    subject: str
    audience: str
    """For whom the token is: the authorized party where it names one, else the one of its audiences that is expected."""
    methods: tuple[str, ...] = ()
    """How the person was authenticated (`amr`)."""
    email: str | None = None
    tags: Mapping[str, str] | None = None
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    roles: tuple[str, ...] | None = None
    """The ARNs of the roles that the token is for; None where the provider leaves that open."""
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Everything that the token says."""

    def claim(self, name: str) -> str | tuple[str, ...] | None:
        """Return a claim as conditions compare it, or None; `google/organization_number` is a member of the claim `google`."""
        value = self.claims.get(name)
        outer, slash, inner = name.partition("/")
        within = self.claims.get(outer) if slash and value is None else None
        if isinstance(within, dict):
            value = within.get(inner)
        match value:
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case int():
                return str(value)
            case list():
                return _texts(value) or None
            case _:
                return None


def claimed(token: str) -> Claimed:
    """Read whose token this claims to be; raises InvalidWebIdentity for what is no signed token at all."""
    header, payload = _parts(token)
    issuer, key_id = payload.get("iss"), header.get("kid")
    # An issuer is looked up: what is in no URL is in no database either, and PostgreSQL takes no null character at all.
    # `none` and HMAC are refused before any key is looked up (RFC 8725, sections 2.1 and 3.1).
    if not isinstance(issuer, str) or not _is_visible(issuer) or header.get("alg") not in ALGORITHMS:
        raise InvalidWebIdentity(_NOT_A_TOKEN)
    return Claimed(issuer, key_id if isinstance(key_id, str) else None)


def read_keys(document: bytes) -> tuple[PublishedKey, ...]:
    """Read a provider's key set (RFC 7517, section 5); keys of other kinds, or for encryption, are left out.

    Raises ValueError for what is no key set.
    """
    try:
        published = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
        entries = msgspec.json.decode(published["keys"], type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, RecursionError) as error:
        raise ValueError("the document is no key set") from error
    # A provider may publish as many keys as it likes, and we read the document again for each fetch.
    keys = (_read_key(entry) for entry in entries[:MOST_KEYS] if entry.get("use", "sig") == "sig")
    return tuple(key for key in keys if key is not None)


def has_key(keys: Sequence[PublishedKey], key_id: str | None) -> bool:
    """Tell whether a token that names this key can be verified with one of these."""
    return bool(_candidates(keys, key_id))


def verify(token: str, keys: Sequence[PublishedKey], *, issuer: str, client_ids: Sequence[str], now: datetime) -> WebIdentity:
    """Verify a token's signature, issuer, audience and times, and return what it says.

    Raises InvalidWebIdentity, ExpiredWebIdentity and UnknownKey.
    """
    # 1. The signature, with a key that the provider publishes, by an algorithm that needs the provider's secret.
    header, payload = _parts(token)
    key_id = header.get("kid")
    candidates = _candidates(keys, key_id if isinstance(key_id, str) else None)
    if not candidates:
        raise UnknownKey("the token's key is not among those that the provider publishes")
    # A provider names its keys; where one doesn't, a token must not cost as many verifications as it publishes keys.
    kind = RSAKey if str(header.get("alg")).startswith("RS") else ECKey
    fitting = [each for each in candidates if isinstance(each.key, kind)][:_MOST_TRIED]
    if not any(_is_signed_with(token, each.key) for each in fitting):
        raise InvalidWebIdentity("The token's signature is invalid")
    # 2. The issuer.
    if payload.get("iss") != issuer:
        raise InvalidWebIdentity("The token's issuer is not the provider")
    # 3. The times.
    _require_time(payload, now)
    # 4. The audience.
    audience = _audience(payload, client_ids)
    return _identity(payload, issuer, audience)


_NOT_A_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    pieces = token.split(".")
    if len(token) > LONGEST or len(pieces) != 3:
        raise InvalidWebIdentity(_NOT_A_TOKEN)
    return _json_of(pieces[0]), _json_of(pieces[1])


def _json_of(piece: str) -> dict[str, Any]:
    try:
        text = base64url.decode(piece)
        return msgspec.json.decode(text, type=dict[str, Any])
    except (UnicodeError, binascii.Error, msgspec.DecodeError, RecursionError) as error:
        raise InvalidWebIdentity(_NOT_A_TOKEN) from error


def _read_key(entry: dict[str, Any]) -> PublishedKey | None:
    if entry.get("kty") not in ("RSA", "EC"):
        return None
    # Only what makes a public key: a provider that publishes a private one must not have us hold it.
    public = {name: value for name, value in entry.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    try:
        key = JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and not _is_usable(key):
        return None
    key_id = entry.get("kid")
    return PublishedKey(key_id if isinstance(key_id, str) else None, key) if isinstance(key, RSAKey | ECKey) else None


def _is_usable(key: RSAKey) -> bool:
    public = key.raw_value
    return isinstance(public, rsa.RSAPublicKey) and public.key_size >= _SMALLEST_RSA_BITS and rsa_keys.is_cheap(public)


def _candidates(keys: Sequence[PublishedKey], key_id: str | None) -> list[PublishedKey]:
    # A key or a token without a name fits any other; how many are tried is bounded by the caller.
    return [each for each in keys if key_id is None or each.id is None or each.id == key_id]


def _is_signed_with(token: str, key: Key) -> bool:
    try:
        # Said again to the library, which else takes what the header says. It checks that the key's kind fits.
        jws.deserialize_compact(token, key, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _require_time(payload: Mapping[str, Any], now: datetime) -> None:
    # AWS requires both, though JWT itself makes them optional.
    expires, issued = _moment(payload, "exp"), _moment(payload, "iat")
    if expires is None or issued is None:
        raise InvalidWebIdentity(f"Missing a required claim: {'exp' if expires is None else 'iat'}")
    if now >= expires:
        raise ExpiredWebIdentity(
            f"Token expired: current date/time {int(now.timestamp())} must be before the expiration date/time "
            f"{int(expires.timestamp())}"
        )
    begins = max(issued, _moment(payload, "nbf") or issued)
    if begins > now + _LEEWAY:
        raise InvalidWebIdentity("The token is not valid yet")


def _moment(payload: Mapping[str, Any], claim: str) -> datetime | None:
    value = payload.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _audience(payload: Mapping[str, Any], client_ids: Sequence[str]) -> str:
    named = payload.get("aud")
    audiences = (named,) if isinstance(named, str) else _texts(named)
    party = payload.get("azp")
    expected = [each for each in audiences if each in client_ids]
    # With several audiences the authorized party says for whom the token was made (OpenID Connect Core, 3.1.3.7, step 5).
    if isinstance(party, str) and party in client_ids:
        return party
    if not expected:
        raise InvalidWebIdentity("Incorrect token audience")
    return expected[0]


def _identity(payload: Mapping[str, Any], issuer: str, audience: str) -> WebIdentity:
    subject, methods, email = payload.get("sub"), payload.get("amr"), payload.get("email")
    if not isinstance(subject, str) or not subject:
        raise InvalidWebIdentity("Missing a required claim: sub")
    # The subject becomes a part of names that people read in the trail.
    if not subject.isprintable():
        raise InvalidWebIdentity("The claim sub holds characters that nobody can see")
    source_identity = payload.get(_SOURCE_IDENTITY)
    tags, transitive = _tags(payload.get(_TAGS))
    return WebIdentity(
        issuer,
        subject,
        audience,
        methods=_texts([methods] if isinstance(methods, str) else methods),
        email=email if isinstance(email, str) else None,
        tags=tags,
        transitive_tag_keys=transitive,
        source_identity=source_identity if isinstance(source_identity, str) else "",
        roles=_roles(payload),
        claims=payload,
    )


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _roles(payload: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Read AWS's claim for roles, an ARN or a list of them; what is neither is for no role at all."""
    if _ROLES not in payload:
        return None
    claim = payload[_ROLES]
    return (claim,) if isinstance(claim, str) else _texts(claim)


def _tags(claim: object) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    """Read AWS's claim for session tags: each principal tag is a list of one value."""
    if not isinstance(claim, dict):
        return None, ()
    passed = claim.get("principal_tags")
    if not isinstance(passed, dict):
        return None, _texts(claim.get("transitive_tag_keys"))
    tags = {}
    for key, values in passed.items():
        texts = _texts([values] if isinstance(values, str) else values)
        # A tag that could have either of two values would let the provider's users choose.
        if len(texts) != 1:
            raise InvalidWebIdentity("A session tag must have exactly one value")
        tags[str(key)] = texts[0]
    return tags, _texts(claim.get("transitive_tag_keys"))


def _texts(values: object) -> tuple[str, ...]:
    return tuple(each for each in values if isinstance(each, str)) if isinstance(values, list) else ()
