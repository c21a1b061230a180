"""SAML metadata: what an identity provider publishes of itself, its name and the certificates it signs with.

Metadata for the OASIS Security Assertion Markup Language (SAML) V2.0; what IAM asks of it is in the IAM user guide, "Create a
SAML identity provider in IAM".
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crownkeep.credentials import rsa_keys, web_addresses
from crownkeep.credentials.saml_xml import HarmfulXml, require_harmless

_METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_SMALLEST_RSA_BITS = 1024
_MOST_CERTIFICATES = 32
"""A response that strangers send is tried against each."""


class UnusableMetadata(ValueError):
    """A document is not the metadata of an identity provider, or not of one that can be used; nothing more is said."""


@dataclass(frozen=True, slots=True)
class SamlMetadata:
    """What of an identity provider's metadata matters."""

    entity_id: str
    certificates: tuple[x509.Certificate, ...]
    """Those that it may sign with, in the document's order."""
    valid_until: datetime | None
    sign_in_address: str = ""
    """Where it takes requests by redirect (HTTP-Redirect binding); empty where it takes none so, or not over https."""


def read(document: str) -> SamlMetadata:
    """Read a metadata document; raises UnusableMetadata."""
    try:
        text = document.encode()
        require_harmless(text)
        # S314: nothing harmful is left in it, see `saml_xml`.
        root = ElementTree.fromstring(text)  # noqa: S314
    except (HarmfulXml, ElementTree.ParseError, UnicodeError) as error:
        raise UnusableMetadata from error
    entity_id = root.get("entityID")
    roles = root.findall(f"{_METADATA}IDPSSODescriptor")
    if root.tag != f"{_METADATA}EntityDescriptor" or not entity_id or len(roles) != 1:
        raise UnusableMetadata
    if roles[0].find(f"{_METADATA}SingleSignOnService") is None:
        raise UnusableMetadata
    certificates = tuple(certificate for each in roles[0].findall(f"{_METADATA}KeyDescriptor") for certificate in _signing(each))
    if not 0 < len(certificates) <= _MOST_CERTIFICATES:
        raise UnusableMetadata
    valid_until = _earliest(root.get("validUntil"), roles[0].get("validUntil"))
    return SamlMetadata(entity_id, certificates, valid_until, _address(roles[0]))


def _address(role: ElementTree.Element) -> str:
    found = [
        each.get("Location", "") for each in role.findall(f"{_METADATA}SingleSignOnService") if each.get("Binding") == _REDIRECT
    ]
    return next((each for each in found if web_addresses.is_for_browsers(each)), "")


def _signing(descriptor: ElementTree.Element) -> list[x509.Certificate]:
    if descriptor.get("use", "signing") != "signing":
        return []
    path = f"{_SIGNATURE}KeyInfo/{_SIGNATURE}X509Data/{_SIGNATURE}X509Certificate"
    return [_certificate(each.text or "") for each in descriptor.findall(path)]


def _certificate(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise UnusableMetadata from error
    is_usable = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA_BITS and rsa_keys.is_cheap(key)
    )
    if not is_usable:
        raise UnusableMetadata
    return certificate


def _earliest(*texts: str | None) -> datetime | None:
    moments = [moment for moment in map(_moment, texts) if moment is not None]
    return min(moments, default=None)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        # The latter is of a moment that lies before the first year, or after the last, in UTC.
        raise UnusableMetadata from error
