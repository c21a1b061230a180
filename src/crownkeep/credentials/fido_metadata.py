"""FIDO metadata: what the FIDO Alliance's Metadata Service (MDS3) says of a device, from a blob the operator imports."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


class MalformedMetadata(ValueError):
    """The blob is not one, or was not signed under the given root."""


class UntrustedDevice(ValueError):
    """The device's attestation is not genuine by the metadata, or its model is known to be broken."""


class Metadata:
    """An imported blob."""

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
    def next_update(self) -> date:
        """The day by which a newer blob is published."""
        return self._payload.next_update

    def judge(self, attestation: AttestationObject, client_data_hash: bytes) -> tuple[tuple[str, str], ...]:
        """Answer the certifications of the device that made an attestation, as GetMFADevice shows them.

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


def read_blob(blob: bytes, *, trust_root: bytes) -> Metadata:
    """Read a blob (https://mds3.fidoalliance.org/) signed under a root certificate (DER); raises MalformedMetadata.

    The root is "GlobalSign Root CA - R3" for the Alliance's own blob.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from fido2.attestation.base import InvalidAttestation
    from fido2.mds3 import parse_blob

    try:
        return Metadata(parse_blob(blob, trust_root))
    except (InvalidSignature, InvalidAttestation, UnsupportedAlgorithm) as error:
        raise MalformedMetadata("the FIDO metadata is not signed under the given root certificate") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise MalformedMetadata("not a FIDO metadata blob: import the file as it was downloaded") from error


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
