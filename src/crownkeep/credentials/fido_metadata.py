"""FIDO metadata: what the FIDO Alliance's Metadata Service (MDS3) says of a device, from a blob the operator imports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from fido2.mds3 import MetadataBlobPayload, MetadataBlobPayloadEntry
    from fido2.webauthn import AttestationObject

# The statuses of MDS3 (section 3.1.4) from the weakest to the strongest, by what certifies them.
_FIDO_LEVELS = {
    "FIDO_CERTIFIED": "L1",
    "FIDO_CERTIFIED_L1": "L1",
    "FIDO_CERTIFIED_L1plus": "L1+",
    "FIDO_CERTIFIED_L2": "L2",
    "FIDO_CERTIFIED_L2plus": "L2+",
    "FIDO_CERTIFIED_L3": "L3",
    "FIDO_CERTIFIED_L3plus": "L3+",
}
_FIPS_LEVELS = {f"FIPS140_CERTIFIED_L{level}": f"L{level}" for level in range(1, 5)}
_BROKEN = frozenset(
    {
        "USER_VERIFICATION_BYPASS",
        "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_KEY_PHYSICAL_COMPROMISE",
        "REVOKED",
    }
)


ALLIANCE_ROOT = "cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b"
"""The SHA-256 of "GlobalSign Root CA - R3" (DER), under which the Alliance's own blob is signed."""

ALLIANCE_SIGNER = "mds.fidoalliance.org"
"""Whom the certificate that signs that blob names: GlobalSign issues certificates under this root to many others."""


ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA")
"""How a blob may be signed: by a private key, and without SHA-1."""
_NAMED = ", ".join(ALGORITHMS)


class MalformedMetadata(ValueError):
    """The blob is not one, or was not signed under the given root."""


class UntrustedDevice(ValueError):
    """The device's attestation is not genuine by the metadata, or its model is known to be broken."""


class Metadata:
    """The FIDO Alliance's metadata of authenticators, from a blob whose signature was verified; found by AAGUID."""

    __slots__ = ("_entries", "_payload")

    def __init__(self, payload: MetadataBlobPayload) -> None:
        """Hold a payload that `read_blob` has verified."""
        self._payload = payload
        self._entries = {bytes(entry.aaguid): entry for entry in payload.entries if entry.aaguid}

    @property
    def number(self) -> int:
        """The blob's serial number, which only grows."""
        return self._payload.no

    @property
    def count(self) -> int:
        """How many models of devices the blob describes."""
        return len(self._payload.entries)

    @property
    def next_update(self) -> date:
        """The day by which a newer blob is published."""
        return self._payload.next_update

    def knows(self, aaguid: str) -> bool:
        """Tell whether the blob describes this model."""
        return bytes.fromhex(aaguid.replace("-", "")) in self._entries

    def judge(self, attestation: AttestationObject, client_data_hash: bytes) -> tuple[tuple[str, str], ...]:
        """Return the certifications of the device that made an attestation, as GetMFADevice shows them.

        A device that attests nothing, or whose model is not in the blob, has none. Raises UntrustedDevice when the
        model is broken or revoked, and when an attestation that names a known model does not chain to its roots.
        """
        from fido2.mds3 import MdsAttestationVerifier

        credential = attestation.auth_data.credential_data
        entry = self._entries.get(bytes(credential.aaguid)) if credential else None
        if entry is None:
            return ()
        broken = {str(report.status.value) for report in entry.status_reports} & _BROKEN
        if broken:
            raise UntrustedDevice(f"the FIDO metadata says of this model: {', '.join(sorted(broken))}")
        if attestation.fmt == "none":
            return ()
        if MdsAttestationVerifier(self._payload).find_entry(attestation, client_data_hash) is None:
            raise UntrustedDevice("the attestation does not chain to the roots of the model it names")
        return _certifications(entry)


def read_blob(blob: bytes, *, trust_root: bytes, now: datetime | None = None) -> Metadata:
    """Read a blob (https://mds3.fidoalliance.org/) signed under a root certificate (DER); raises MalformedMetadata.

    With `now` the certificates must be valid at that moment, which is asked when a blob is imported; one that is kept stays good.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from fido2.attestation.base import InvalidAttestation
    from fido2.mds3 import parse_blob

    unreadable = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)

    try:
        _require_signing_algorithm(blob)
        payload = parse_blob(blob, trust_root)
        _check_chain(_chain(blob, trust_root), trust_root, now)
        return Metadata(payload)
    except (InvalidSignature, InvalidAttestation, UnsupportedAlgorithm, *unreadable) as error:
        raise MalformedMetadata("the FIDO metadata is not signed under the given root certificate") from error
    except MalformedMetadata:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError, RecursionError) as error:
        raise MalformedMetadata("not a FIDO metadata blob: import the file as it was downloaded") from error


def read_root(file: bytes) -> bytes:
    """Read a root certificate, in PEM or DER, and return it in DER; raises MalformedMetadata."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        is_pem = b"-----BEGIN" in file
        certificate = x509.load_pem_x509_certificate(file) if is_pem else x509.load_der_x509_certificate(file)
    except (ValueError, x509.InvalidVersion) as error:
        raise MalformedMetadata("the root is no certificate: give one in PEM or DER") from error
    return certificate.public_bytes(Encoding.DER)


def _require_signing_algorithm(blob: bytes) -> None:
    """Raise MalformedMetadata for a blob that is not signed, or in a way that others can sign in too."""
    algorithm = _header(blob).get("alg")
    if algorithm not in ALGORITHMS:
        shown = algorithm if isinstance(algorithm, str) and algorithm.isascii() and algorithm.isalnum() else "?"
        raise MalformedMetadata(f"the FIDO metadata is not signed as it must be: by `{shown[:16]}`, not by one of {_NAMED}")


def _header(blob: bytes) -> Mapping[str, object]:
    from json import loads

    from fido2.utils import websafe_decode

    header = loads(websafe_decode(blob.split(b".", 1)[0]))
    if not isinstance(header, Mapping):
        raise MalformedMetadata("not a FIDO metadata blob: import the file as it was downloaded")
    return header


def _chain(blob: bytes, trust_root: bytes) -> list[Certificate]:
    """Return the certificates of a blob that `parse_blob` has taken, the signer's first and the root last."""
    from base64 import b64decode

    from cryptography import x509

    named = _header(blob).get("x5c")
    encoded = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    return [x509.load_der_x509_certificate(each) for each in (*map(b64decode, encoded), trust_root)]


def _check_chain(chain: Sequence[Certificate], trust_root: bytes, now: datetime | None) -> None:
    """Check what `parse_blob` leaves open: who signed, whether the issuers may issue, and whether it is not too late."""
    from cryptography import x509

    signer, issuers = chain[0], chain[1:]
    if len(chain) < 2:
        raise MalformedMetadata("the FIDO metadata names no certificate that it is signed with")
    for issued, issuer in zip(chain, issuers, strict=False):
        constraints = [each.value for each in issuer.extensions if isinstance(each.value, x509.BasicConstraints)]
        if issued.issuer != issuer.subject or not (constraints and constraints[0].ca):
            raise MalformedMetadata("the FIDO metadata is signed under a certificate that may not issue others")
    if hashlib.sha256(trust_root).hexdigest() == ALLIANCE_ROOT and ALLIANCE_SIGNER not in _names(signer):
        raise MalformedMetadata(f"the FIDO metadata is not signed by `{ALLIANCE_SIGNER}`")
    if now is not None and any(not each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain):
        raise MalformedMetadata("a certificate that the FIDO metadata is signed with is not valid now: download it anew")


def _names(certificate: Certificate) -> list[str]:
    from cryptography import x509

    alternatives = [each.value for each in certificate.extensions if isinstance(each.value, x509.SubjectAlternativeName)]
    return [name for each in alternatives for name in each.get_values_for_type(x509.DNSName)]


def _certifications(entry: MetadataBlobPayloadEntry) -> tuple[tuple[str, str], ...]:
    best: dict[str, str] = {}
    for report in entry.status_reports:
        status = str(report.status.value)
        if status in _FIDO_LEVELS:
            name, level = "FIDO", _FIDO_LEVELS[status]
        elif status in _FIPS_LEVELS:
            name, level = f"FIPS-140-{report.fips_revision or 2}", _FIPS_LEVELS[status]
        else:
            continue
        best[name] = max(best.get(name, ""), level)
    return tuple(sorted(best.items()))
