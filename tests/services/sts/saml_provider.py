"""A SAML identity provider of this test process: metadata, and responses signed as a test wants them."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.signer import XMLSigner

ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
AUDIENCE = "https://signin.aws.amazon.com/saml"
ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"


class SamlProvider:
    """A provider with a key and a certificate."""

    def __init__(self, entity_id: str = "https://idp.example/metadata") -> None:
        self.entity_id = entity_id
        self._numbers = itertools.count(1)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
            .sign(self.key, hashes.SHA256())
        )

    def metadata(self, **attributes: str) -> str:
        """Write the metadata document; attributes are further ones of its root."""
        der = base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()
        further = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return (
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity_id}"{further}>'
            '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
            'Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        )

    def response(self, attributes: dict[str, list[str]], *, sign: str = "assertion", **changes: Any) -> str:
        """Make a response in base64; `sign` is `assertion`, `response` or `nothing`."""
        root = etree.fromstring(self.unsigned(attributes, **changes).encode())
        if sign == "assertion":
            assertion = root.find(f"{ASSERTION}Assertion")
            root.replace(assertion, self._signed(assertion))
        elif sign == "response":
            root = self._signed(root)
        return encoded(root)

    def _signed(self, element: Any) -> Any:
        signer = XMLSigner(
            signature_algorithm="rsa-sha256", digest_algorithm="sha256", c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"
        )
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return signer.sign(element, key=self.key, cert=pem, reference_uri=f"#{element.get('ID')}", id_attribute="ID")

    def _next_id(self) -> str:
        return f"_a{next(self._numbers)}"

    def unsigned(self, attributes: dict[str, list[str]], **changes: Any) -> str:
        """Write a response; changes are `issued`, `audience`, `recipient`, `subject`, `issuer`, `ends`, `session_ends` and
        `in_response_to`.

        Each assertion has an id of its own, unless a change names its `id`.
        """
        now = changes.get("issued", datetime.now(UTC))
        ends = changes.get("ends", now + timedelta(minutes=5))
        audience, recipient = changes.get("audience", AUDIENCE), changes.get("recipient", AUDIENCE)
        statements = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in attributes.items()
        )
        session = f' SessionNotOnOrAfter="{_moment(changes["session_ends"])}"' if "session_ends" in changes else ""
        answers = f' InResponseTo="{changes["in_response_to"]}"' if changes.get("in_response_to") else ""
        return (
            '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
            f'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0" IssueInstant="{_moment(now)}">'
            f"<saml:Issuer>{self.entity_id}</saml:Issuer><samlp:Status><samlp:StatusCode "
            'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f'<saml:Assertion ID="{changes.get("id") or self._next_id()}" Version="2.0" IssueInstant="{_moment(now)}">'
            f"<saml:Issuer>{changes.get('issuer', self.entity_id)}</saml:Issuer><saml:Subject>"
            '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">'
            f"{changes.get('subject', 'person-1')}</saml:NameID>"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData{answers} Recipient="{recipient}" NotOnOrAfter="{_moment(ends)}"/>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{_moment(now)}" NotOnOrAfter="{_moment(ends)}"><saml:AudienceRestriction>'
            f"<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_moment(now)}"{session}/>'
            f"<saml:AttributeStatement>{statements}</saml:AttributeStatement></saml:Assertion></samlp:Response>"
        )


def encoded(root: Any) -> str:
    """Write a tree as the base64 that AssumeRoleWithSAML takes."""
    return base64.b64encode(etree.tostring(root)).decode()


def decoded(response: str) -> Any:
    """Read what `encoded` wrote."""
    return etree.fromstring(base64.b64decode(response))


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
