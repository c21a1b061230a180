"""Outbound web identities: tokens by which an account's identities prove to others who they are, and where their keys are.

Each account is an issuer of its own, with its own keys (OpenID Connect Discovery 1.0). A key signs for thirty days; then the next
token is signed with a new one. The old one stays published until nothing that it signed can still be valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from crownkeep import clock, ids
from crownkeep.credentials import web_identities
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.web_identities import PublishedKey
from crownkeep.operations import sealed
from crownkeep.operations.call import Call
from crownkeep.operations.standing import ACTIVE
from crownkeep.server_address import OUTBOUND_IDENTITY
from crownkeep.settings import Settings
from crownkeep.storage.accounts import account_settings, accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import web_identity_keys
from crownkeep.storage.federation.web_identity_keys import WebIdentityKeyRow

ALGORITHMS = ("ES384", "RS256")
"""What tokens may be signed with (API_GetWebIdentityToken)."""

SIGNS_FOR = timedelta(days=30)
PUBLISHED_FOR = SIGNS_FOR + timedelta(days=1)
"""The longest token is good for an hour; the rest is for clocks that are wrong."""

_CONFIGURATION = "/.well-known/openid-configuration"
_KEYS = "/.well-known/jwks.json"
_RSA_BITS = 2048
_P384_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
"""The order of the group of P-384 (SEC 2, 2.5.1)."""


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A signing key that no account has yet."""

    key_id: str
    algorithm: str
    private_pem: Secret
    public_key: str


def issuer(settings: Settings, issuer_id: str) -> str:
    """Return an account's issuer, as its tokens name it in `iss`."""
    return f"{settings.url}{OUTBOUND_IDENTITY}/{issuer_id}"


def mint_missing(call: Call, algorithms: Sequence[str] = ALGORITHMS) -> tuple[MintedKey, ...]:
    """Make a key for each algorithm that the account has none for that may still sign; slow, so not for inside a transaction."""
    return tuple(_mint(each) for each in algorithms if _signing(call, each) is None)


def adopt(call: Call, minted: Sequence[MintedKey]) -> None:
    """Keep keys that were made for the account, those that another request has not meanwhile made others for."""
    for each in minted:
        if _signing(call, each.algorithm) is None:
            _keep(call, each)


def sign(call: Call, claims: Mapping[str, object], *, algorithm: str) -> str:
    """Return a token of the account's issuer (RFC 7519), signed with its newest key."""
    row = _signing(call, algorithm) or _keep(call, _mint(algorithm))
    secret = sealed.open_signing_key(call.keyring, row.sealed_private_key, account_id=row.account_id, key_id=row.key_id)
    header = {"alg": algorithm, "kid": row.key_id, "typ": "JWT"}
    return jwt.encode(header, dict(claims), _opened(secret), algorithms=[algorithm])


def document(db: Transaction, settings: Settings, path: str, *, now: datetime) -> bytes | None:
    """Return what an issuer publishes at a path: its configuration or its keys; None where there is nothing."""
    issuer_id, slash, rest = path.removeprefix(f"{OUTBOUND_IDENTITY}/").partition("/")
    account_id = _issuing(db, issuer_id)
    if account_id is None:
        return None
    if slash + rest == _CONFIGURATION:
        return _configuration(issuer(settings, issuer_id))
    return _key_set(db, account_id, now) if slash + rest == _KEYS else None


def own_keys(db: Transaction, settings: Settings, issuer_url: str, *, now: datetime) -> tuple[PublishedKey, ...] | None:
    """Return the keys of an issuer that is one of this house's accounts, None where it isn't: nobody asks themselves by HTTPS."""
    prefix = f"{settings.url}{OUTBOUND_IDENTITY}/"
    account_id = _issuing(db, issuer_url.removeprefix(prefix)) if issuer_url.startswith(prefix) else None
    if account_id is None:
        return None
    return web_identities.read_keys(_key_set(db, account_id, now))


def _issuing(db: Transaction, issuer_id: str) -> str | None:
    account_id = account_settings.with_issuer(db, issuer_id)
    account = accounts.with_id(db, account_id) if account_id is not None else None
    return account_id if account is not None and account.state == ACTIVE else None


def _configuration(url: str) -> bytes:
    return msgspec.json.encode(
        {
            "issuer": url,
            "jwks_uri": url + _KEYS,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "claims_supported": ["iss", "sub", "aud", "iat", "exp", "jti", "https://sts.amazonaws.com/"],
        }
    )


def _key_set(db: Transaction, account_id: str, now: datetime) -> bytes:
    return msgspec.json.encode({"keys": [msgspec.Raw(row.public_key.encode()) for row in _published(db, account_id, now)]})


def _published(db: Transaction, account_id: str, now: datetime) -> list[WebIdentityKeyRow]:
    """Return the newest key for each algorithm, so that a relying party finds one whenever it looks, and those still in use."""
    rows = web_identity_keys.of_account(db, account_id)
    newest = {row.algorithm: row for row in reversed(rows)}
    return [row for row in rows if row is newest[row.algorithm] or now < row.created_at + PUBLISHED_FOR]


def _signing(call: Call, algorithm: str) -> WebIdentityKeyRow | None:
    row = web_identity_keys.newest(call.db, call.account_id, algorithm)
    return row if row is not None and call.now < row.created_at + SIGNS_FOR else None


def _keep(call: Call, minted: MintedKey) -> WebIdentityKeyRow:
    blob = sealed.seal_signing_key(call.keyring, minted.private_pem, account_id=call.account_id, key_id=minted.key_id)
    row = WebIdentityKeyRow(minted.key_id, call.account_id, minted.algorithm, blob, minted.public_key, call.now)
    web_identity_keys.add(call.db, row)
    web_identity_keys.remove_older(call.db, call.account_id, minted.algorithm, made_before=call.now - PUBLISHED_FOR)
    return row


def _mint(algorithm: str) -> MintedKey:
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm == "ES384":
        number = int.from_bytes(clock.token_bytes(56), "big") % (_P384_ORDER - 1) + 1
        private = ec.derive_private_key(number, ec.SECP384R1())
    else:
        # OpenSSL draws the primes itself: there is no way to hand it chance.
        private = rsa.generate_private_key(public_exponent=65_537, key_size=_RSA_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    key_id = ids.request_id(clock.id_bytes(16))
    published = {**_jwk(private).as_dict(private=False), "kid": key_id, "use": "sig", "alg": algorithm}
    return MintedKey(key_id, algorithm, Secret(pem), msgspec.json.encode(published).decode())


def _opened(pem: Secret) -> ECKey | RSAKey:
    # The seal vouches for the key; checking an RSA key again takes longer than all else that a token takes.
    private = serialization.load_pem_private_key(pem.reveal().encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("a signing key is neither of RSA nor of an elliptic curve")
    return _jwk(private)


def _jwk(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> ECKey | RSAKey:
    return RSAKey.import_key(private) if isinstance(private, rsa.RSAPrivateKey) else ECKey.import_key(private)
