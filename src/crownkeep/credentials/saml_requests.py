"""SAML from the side of a service provider: the request that a browser carries to an identity provider, and our own metadata.

SAML 2.0 bindings (OASIS), section 3.4: a request is deflated, written in base64 and sent as a parameter of the address.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

from crownkeep.credentials import web_addresses

_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
_ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
_METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """We, as an identity provider knows us."""

    entity_id: str
    consumer: str
    """Where a browser brings responses."""


def address_of_request(provider: str, asked_by: ServiceProvider, *, request_id: str, now: datetime) -> str:
    """Return the address at which a provider is asked who sits at the browser; `provider` is where it takes requests."""
    text = (
        f'<samlp:AuthnRequest xmlns:samlp="{_PROTOCOL}" ID={quoteattr(request_id)} Version="2.0" '
        f'IssueInstant="{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" Destination={quoteattr(provider)} ProtocolBinding="{_POST}" '
        f"AssertionConsumerServiceURL={quoteattr(asked_by.consumer)}>"
        f'<saml:Issuer xmlns:saml="{_ASSERTION}">{_escaped(asked_by.entity_id)}</saml:Issuer></samlp:AuthnRequest>'
    )
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflating.compress(text.encode()) + deflating.flush()
    return web_addresses.with_query(provider, SAMLRequest=base64.b64encode(deflated).decode())


def metadata(provider: ServiceProvider) -> str:
    """Write the document that an identity provider is given about us."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="{_METADATA}" entityID={quoteattr(provider.entity_id)}>'
        f'<md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="{_PROTOCOL}">'
        f'<md:AssertionConsumerService index="0" isDefault="true" Binding="{_POST}" Location={quoteattr(provider.consumer)}/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>\n"
    )


def _escaped(text: str) -> str:
    return quoteattr(text)[1:-1]
