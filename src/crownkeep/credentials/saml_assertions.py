"""SAML assertions: verified against the certificates of the provider's metadata, and read only where they were signed.

SAML 2.0 core and profiles (OASIS), section 4.1.4 of the latter; what AWS reads of an assertion is in the IAM user guide,
"Configure SAML assertions for the authentication response".
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

from crownkeep.credentials.saml_metadata import SamlMetadata
from crownkeep.credentials.saml_xml import HarmfulXml, require_harmless

LARGEST = 100_000
"""Characters of the longest response that is looked at, in base64 (the model's limit of `SAMLAssertion`)."""

REDEEMED_WITHIN = timedelta(minutes=5)
"""How old an assertion may be when it is used (AWS STS)."""
_LEEWAY = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""

ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
_PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_SESSION_NAME = re.compile(r"[a-zA-Z_0-9+=,.@-]{2,64}")

# An element of lxml, which has no types.
Element = Any


class InvalidAssertion(ValueError):
    """A response proves nothing; the message is AWS's own text where AWS has one."""


class ExpiredAssertion(InvalidAssertion):
    """A response was good once."""


class SamlUnavailable(Exception):
    """What verifies XML signatures is not installed."""


@dataclass(frozen=True, slots=True)
class SamlAssertion:
    """What a verified assertion says."""

    id: str
    """What its provider calls it: whoever presents it a second time has copied it."""
    redeemable_until: datetime
    """From when on it is refused for its age alone."""
    issuer: str
    subject: str
    subject_format: str
    """`persistent`, `transient`, or another format as it stands there."""
    recipient: str
    attributes: Mapping[str, tuple[str, ...]]
    session_ends_at: datetime | None
    """When the provider ends its own session with the subject, where it says so."""
    in_response_to: str = ""
    """The request that it answers; empty where nobody has asked for it."""

    @property
    def roles(self) -> list[tuple[str, str]]:
        """The pairs of ARNs that the provider lets the subject take on: a role and a provider, in whichever order."""
        pairs = (value.split(",") for value in self.attributes.get(f"{ATTRIBUTES}Role", ()))
        # Providers write them in either order; which is the role is told by the ARN.
        return [(pair[0].strip(), pair[1].strip()) for pair in pairs if len(pair) == 2]

    @property
    def session_name(self) -> str:
        """The name of the session; raises InvalidAssertion where there is none, or none that can be used."""
        names = self.attributes.get(f"{ATTRIBUTES}RoleSessionName", ())
        if len(names) != 1 or not names[0]:
            raise InvalidAssertion("RoleSessionName is required in AuthnResponse")
        if not _SESSION_NAME.fullmatch(names[0]):
            raise InvalidAssertion("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
        return names[0]

    @property
    def tags(self) -> dict[str, str]:
        """The session tags; raises InvalidAssertion for one that hasn't exactly one value."""
        prefix = f"{ATTRIBUTES}PrincipalTag:"
        passed = {name[len(prefix) :]: values for name, values in self.attributes.items() if name.startswith(prefix)}
        if any(len(values) != 1 for values in passed.values()):
            raise InvalidAssertion("A session tag must have exactly one value")
        return {key: values[0] for key, values in passed.items()}

    def first(self, name: str) -> str | None:
        """Return the first value of one of AWS's attributes."""
        return next(iter(self.attributes.get(f"{ATTRIBUTES}{name}", ())), None)


def verify(
    response: str, metadata: SamlMetadata, *, audiences: Sequence[str], recipients: Sequence[str] = (), now: datetime
) -> SamlAssertion:
    """Verify a SAML response, given in base64, and return what its one assertion says.

    `recipients` are the addresses that it may be sent to; where there are none, an audience is an address, too.
    Raises InvalidAssertion, ExpiredAssertion, and SamlUnavailable where the extra `saml` isn't installed.
    """
    # 1. XML that can do no harm.
    text = _decoded(response)
    # 2. The signature, by a certificate of the metadata. From here on only what was signed is there to be read.
    assertion = _signed_assertion(text, metadata)
    # 3. The issuer.
    if _text(assertion.find(f"{_ASSERTION}Issuer")) != metadata.entity_id:
        raise InvalidAssertion("Issuer not present in specified provider")
    # 4. The times.
    issued = _require_time(assertion, now)
    # 5. The audience: an assertion for another service must not open this one.
    _require_audience(assertion, audiences)
    # 6. A name of its own, by which a second use is told.
    assertion_id = str(assertion.get("ID", ""))
    if not assertion_id:
        raise InvalidAssertion("The assertion has no ID")
    # 7. The subject, confirmed as the bearer, for a recipient that is ours.
    subject = assertion.find(f"{_ASSERTION}Subject")
    recipient, in_response_to = _confirmed(subject, recipients or audiences, now)
    name = subject.find(f"{_ASSERTION}NameID") if subject is not None else None
    if name is None or not _text(name):
        raise InvalidAssertion("A NameID is required in the Subject of AuthnResponse")
    kind = str(name.get("Format", f"{_FORMAT}unspecified"))
    statement = assertion.find(f"{_ASSERTION}AuthnStatement")
    ends_at = _moment(statement.get("SessionNotOnOrAfter")) if statement is not None else None
    return SamlAssertion(
        assertion_id,
        issued + REDEEMED_WITHIN,
        metadata.entity_id,
        _text(name),
        kind.removeprefix(_FORMAT),
        recipient,
        _attributes(assertion),
        ends_at,
        in_response_to,
    )


def is_available() -> bool:
    """Tell whether what verifies XML signatures is installed."""
    return all(find_spec(name) is not None for name in ("lxml", "signxml"))


def _decoded(response: str) -> bytes:
    try:
        # Forms wrap base64 into lines.
        text = base64.b64decode("".join(response.split()).encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error) as error:
        raise InvalidAssertion("Invalid base64 SAMLResponse") from error
    try:
        require_harmless(text)
    except HarmfulXml as error:
        raise InvalidAssertion("Invalid SAMLResponse") from error
    return text


def _signed_assertion(text: bytes, metadata: SamlMetadata) -> Element:
    """Return the one assertion of a response, as a tree of its own that was made from the very bytes that were signed.

    Either the response is signed or the assertion in it. What surrounds a signed assertion is thrown away unread, so that nothing
    can be wrapped around it ("On Breaking SAML: Be Whoever You Want to Be", USENIX Security 2012).
    """
    try:
        from lxml import etree
    except ImportError as error:
        raise SamlUnavailable from error
    # No entities, no network, no DTD: `require_harmless` has refused them already, and this is the second lock.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    root = _parsed(text, parser)
    if root.tag != f"{_PROTOCOL}Response":
        raise InvalidAssertion("Invalid SAMLResponse")
    # Read before the signature is verified, and used for nothing but a refusal.
    status = root.find(f"{_PROTOCOL}Status/{_PROTOCOL}StatusCode")
    if status is not None and status.get("Value") != _SUCCESS:
        raise InvalidAssertion("The SAMLResponse does not report success")
    if root.find(_SIGNATURE) is not None:
        return _only_assertion(_verified(root, metadata))
    found = _only_assertion(root)
    if found.find(_SIGNATURE) is None:
        raise InvalidAssertion("Response signature invalid")
    # Serialised and parsed anew: what is verified has no parent any more that an attacker could have put around it.
    return _verified(_parsed(etree.tostring(found, with_tail=False), parser), metadata)


def _parsed(text: bytes, parser: Any) -> Element:
    from lxml import etree

    try:
        return etree.fromstring(text, parser)
    except (etree.LxmlError, ValueError) as error:
        # Well formed, and yet none: a prefix without a namespace, or an encoding that is declared and not used.
        raise InvalidAssertion("Invalid SAMLResponse") from error


def _only_assertion(response: Element) -> Element:
    found = response.findall(f"{_ASSERTION}Assertion")
    # At any depth: a second one, in an extension say, is how wrapping attacks begin.
    if len(found) != 1 or len(list(response.iter(f"{_ASSERTION}Assertion"))) != 1:
        raise InvalidAssertion("The SAMLResponse must hold exactly one assertion, which is not encrypted")
    return found[0]


def _verified(element: Element, metadata: SamlMetadata) -> Element:
    """Return what an element's own signature covers, which must be the element itself."""
    from signxml.algorithms import DigestAlgorithm, SignatureMethod
    from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

    names = ("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512")
    config = SignatureConfiguration(
        # The signature must be the element's own child, and cover it by its one reference.
        location="./",
        expect_references=1,
        signature_methods=frozenset(SignatureMethod[name] for name in names),
        digest_algorithms=frozenset(DigestAlgorithm[name] for name in ("SHA256", "SHA384", "SHA512")),
        # The key inside the signature is the attacker's to choose; only the metadata's certificates count.
        ignore_ambiguous_key_info=True,
    )
    for certificate in metadata.certificates:
        try:
            found = XMLVerifier().verify(element, x509_cert=certificate, id_attribute="ID", expect_config=config)
        except _unverified():
            continue
        signed = found.signed_xml if isinstance(found, VerifyResult) else None
        # A valid signature of some other element proves nothing about this one.
        if signed is not None and (signed.tag, signed.get("ID")) == (element.tag, element.get("ID")):
            return signed
    raise InvalidAssertion("Response signature invalid")


def _unverified() -> tuple[type[Exception], ...]:
    """Return what the libraries raise for a signature that is none, that is no valid XML of its kind, or that they don't know."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from lxml import etree
    from signxml.exceptions import SignXMLException

    return (
        SignXMLException,
        UnsupportedAlgorithm,
        etree.LxmlError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        AssertionError,
        NotImplementedError,
        OverflowError,
        struct.error,
    )


def _require_time(assertion: Element, now: datetime) -> datetime:
    """Return when the assertion was issued; raises InvalidAssertion and ExpiredAssertion."""
    issued = _moment(assertion.get("IssueInstant"))
    if issued is None or issued > now + _LEEWAY:
        raise InvalidAssertion("The assertion is not valid yet")
    # No leeway here: AWS counts five minutes from issuance, and a replay is remembered for exactly that long.
    if now >= issued + REDEEMED_WITHIN:
        raise ExpiredAssertion("Token must be redeemed within 5 minutes of issuance")
    conditions = assertion.find(f"{_ASSERTION}Conditions")
    if conditions is None:
        raise InvalidAssertion("The assertion has no Conditions")
    begins, ends = _moment(conditions.get("NotBefore")), _moment(conditions.get("NotOnOrAfter"))
    if begins is not None and begins > now + _LEEWAY:
        raise InvalidAssertion("The assertion is not valid yet")
    if ends is not None and now >= ends:
        raise ExpiredAssertion("Assertion is expired")
    return issued


def _require_audience(assertion: Element, audiences: Sequence[str]) -> None:
    restrictions = assertion.findall(f"{_ASSERTION}Conditions/{_ASSERTION}AudienceRestriction")
    if not restrictions:
        raise InvalidAssertion("The assertion names no audience")
    # Several restrictions are joined by "and", the audiences within one by "or" (SAML core, 2.5.1.4).
    for restriction in restrictions:
        named = {_text(each) for each in restriction.findall(f"{_ASSERTION}Audience")}
        if named.isdisjoint(audiences):
            raise InvalidAssertion("The assertion is for another audience")


def _confirmed(subject: Element | None, recipients: Sequence[str], now: datetime) -> tuple[str, str]:
    """Return the recipient of a bearer's confirmation, and the request that it answers; raises InvalidAssertion."""
    confirmations = subject.findall(f"{_ASSERTION}SubjectConfirmation") if subject is not None else []
    for confirmation in confirmations:
        said = confirmation.find(f"{_ASSERTION}SubjectConfirmationData")
        if confirmation.get("Method") != _BEARER or said is None or said.get("Recipient") not in recipients:
            continue
        ends = _moment(said.get("NotOnOrAfter"))
        # The profile requires an end for bearers (profiles, 4.1.4.2); a confirmation without one confirms nothing.
        if ends is None:
            continue
        if now >= ends:
            raise ExpiredAssertion("Assertion is expired")
        return str(said.get("Recipient")), str(said.get("InResponseTo", ""))
    raise InvalidAssertion("The assertion is for another recipient")


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.findall(f"{_ASSERTION}AttributeStatement/{_ASSERTION}Attribute"):
        name = str(attribute.get("Name", ""))
        values = tuple(_text(value) for value in attribute.findall(f"{_ASSERTION}AttributeValue"))
        # An attribute may be written in several elements, which count as one.
        found[name] = found.get(name, ()) + values
    return found


def _text(element: Element | None) -> str:
    # All text, comments cut out by the parser: `admin<!-- -->@evil` must not be read as `admin`.
    return "" if element is None else "".join(element.itertext()).strip()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        # The latter is of a moment that lies before the first year, or after the last, in UTC.
        raise InvalidAssertion("The assertion holds a malformed time") from error
