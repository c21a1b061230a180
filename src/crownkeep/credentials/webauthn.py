"""Passkeys and security keys: WebAuthn registration and sign-in, over the server half of the fido2 library.

Browsers exchange these values through `PublicKeyCredential.parseCreationOptionsFromJSON`, `parseRequestOptionsFromJSON`
and `toJSON`. The challenge is the caller's: fresh random bytes, kept in the sign-in flow and spent by one answer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, PublicKeyCredentialDescriptor

    from crownkeep.credentials.fido_metadata import Metadata

Json = Mapping[str, object]

CHALLENGE_SIZE = 32
"""Random bytes of a challenge."""

LONGEST_CREDENTIAL_ID = 1023
"""Bytes (WebAuthn level 3, section 7.1, step 25)."""

TIMEOUT = 300_000
"""Milliseconds a browser waits for the person (WebAuthn level 3, section 15.1 recommends five minutes)."""

# What browsers and keys speak today, best first: EdDSA, ES256, RS256 (Windows Hello). RS1 is SHA-1 and stays out.
_ALGORITHMS = (-8, -7, -257)


class WebauthnRefused(ValueError):
    """The browser's answer does not prove what it should; the message says what is wrong, for the record."""


class ClonedAuthenticator(WebauthnRefused):
    """The signature counter did not grow: two devices may hold the same key (WebAuthn, section 6.1.1)."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the domain keys are bound to, the name browsers show, and the origins that may ask in its name."""

    id: str
    name: str
    origins: frozenset[str]
    """Scheme, host and port, such as `https://sign-in.acme.example`."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose key it is. The handle must tell nothing about the person and stay the same for life (section 14.6.1)."""

    handle: bytes
    """Up to 64 bytes, such as the hash of the principal's unique id."""
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A registered key: what later answers are verified with, and what is known about the device."""

    credential_id: bytes
    public_key: bytes
    """COSE key, as CBOR."""
    sign_count: int
    aaguid: str
    """The model of the device as a UUID; zeros when it does not say."""
    transports: tuple[str, ...] = ()
    is_synced: bool = False
    """Whether the key may be copied to other devices of its owner (backup eligible)."""
    attestation_format: str = "none"
    attestation: bytes = b""
    """The attestation object as it came, so that it can be judged again by newer metadata."""
    certifications: tuple[tuple[str, str], ...] = ()
    """Certifications from imported FIDO metadata, such as ("FIDO", "L2")."""


def creation_options(party: RelyingParty, person: Person, *, challenge: bytes, registered: Sequence[Passkey] = ()) -> Json:
    """Build the options of a registration, as JSON for `parseCreationOptionsFromJSON`.

    User verification is required, attestation is asked for, and devices already registered are excluded.
    """
    return _creation_options(party, person, challenge, registered, "preferred")


def discoverable_creation_options(
    party: RelyingParty, person: Person, *, challenge: bytes, registered: Sequence[Passkey] = ()
) -> Json:
    """Build the same for a key that must answer where nobody is named, as on the page of custodians."""
    return _creation_options(party, person, challenge, registered, "required")


def _creation_options(
    party: RelyingParty, person: Person, challenge: bytes, registered: Sequence[Passkey], resident_key: str
) -> Json:
    from fido2.webauthn import PublicKeyCredentialUserEntity, ResidentKeyRequirement, UserVerificationRequirement

    options, _ = _server(party).register_begin(
        PublicKeyCredentialUserEntity(id=person.handle, name=person.name, display_name=person.display_name),
        credentials=[_descriptor(passkey) for passkey in registered],
        resident_key_requirement=ResidentKeyRequirement(resident_key),
        user_verification=UserVerificationRequirement.REQUIRED,
        # The library would make its own; ours is bound to the sign-in that it belongs to.
        challenge=challenge,
    )
    return _inner(dict(options))


def request_options(party: RelyingParty, *, challenge: bytes, passkeys: Sequence[Passkey] = ()) -> Json:
    """Build the options of a sign-in, as JSON for `parseRequestOptionsFromJSON`; without passkeys, any of this site's."""
    from fido2.webauthn import UserVerificationRequirement

    options, _ = _server(party).authenticate_begin(
        credentials=[_descriptor(passkey) for passkey in passkeys] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return _inner(dict(options))


def register(party: RelyingParty, answer: Json, *, challenge: bytes, metadata: Metadata | None = None) -> Passkey:
    """Verify a registration (WebAuthn level 3, section 7.1) and return the new key; raises WebauthnRefused.

    The attestation statement must be valid in itself, and genuine where the metadata knows the device's model. Devices
    that attest nothing are accepted: the caller decides by `certifications` whether that is enough.
    """
    from fido2 import cbor
    from fido2.webauthn import RegistrationResponse

    try:
        response = RegistrationResponse.from_dict(answer)
        data = _server(party).register_complete(_state(challenge), response)
        client_data, attestation = response.response.client_data, response.response.attestation_object
        # What the library leaves to its caller is checked here, inside the same net of errors.
        _refuse_cross_origin(client_data.cross_origin)
        _refuse_impossible_backup(data)
        _verify_statement(attestation, client_data.hash)
        # Without metadata a statement only proves that it is whole, not who made the device.
        certifications = metadata.judge(attestation, client_data.hash) if metadata else ()
    except _malformed() as error:
        raise WebauthnRefused(f"the registration is not valid: {_reason(error)}") from error
    credential = data.credential_data
    # Read from the key itself: a device may answer with an algorithm that was not offered.
    if credential is None or credential.public_key.get(3) not in _ALGORITHMS:
        raise WebauthnRefused("the registration is not valid: its key is of no algorithm that was offered")
    if not 0 < len(credential.credential_id) <= LONGEST_CREDENTIAL_ID:
        raise WebauthnRefused(f"the registration is not valid: the id of its key has not 1 to {LONGEST_CREDENTIAL_ID} bytes")
    return Passkey(
        credential_id=bytes(credential.credential_id),
        public_key=cbor.encode(credential.public_key),
        sign_count=data.counter,
        aaguid=str(credential.aaguid),
        transports=_transports(answer),
        is_synced=data.is_backup_eligible(),
        attestation_format=attestation.fmt,
        attestation=bytes(attestation),
        certifications=certifications,
    )


def authenticate(party: RelyingParty, answer: Json, passkeys: Sequence[Passkey], *, challenge: bytes, handle: bytes) -> Passkey:
    """Verify a sign-in (WebAuthn level 3, section 7.2) with one of a person's keys; answer it with its new counter.

    Raises WebauthnRefused, or ClonedAuthenticator when the signature is good but the counter did not grow.
    """
    from fido2.webauthn import AuthenticationResponse

    try:
        response = AuthenticationResponse.from_dict(answer)
        credentials = [_credential(passkey) for passkey in passkeys]
        # It verifies origin, challenge, user verification and signature, with the key that the answer names among these.
        used = _server(party).authenticate_complete(_state(challenge), credentials, response)
        _refuse_cross_origin(response.response.client_data.cross_origin)
        _refuse_impossible_backup(response.response.authenticator_data)
    except _malformed() as error:
        raise WebauthnRefused(f"the sign-in is not valid: {_reason(error)}") from error
    named = response.response.user_handle
    # The device itself says whose key it is, and must agree (section 7.2, step 6).
    if named is not None and named != handle:
        raise WebauthnRefused("the sign-in is not valid: the key belongs to somebody else")
    passkey = next(passkey for passkey in passkeys if passkey.credential_id == used.credential_id)
    counter = response.response.authenticator_data.counter
    # 0 before and after means that the device keeps no counter, as synced passkeys do.
    # The counter is compared only after the signature: a stranger can't have a key reported as cloned.
    if (counter or passkey.sign_count) and counter <= passkey.sign_count:
        raise ClonedAuthenticator(f"the counter went from {passkey.sign_count} to {counter}: the key may be cloned")
    return replace(passkey, sign_count=counter)


def _server(party: RelyingParty) -> Fido2Server:
    from fido2.server import Fido2Server
    from fido2.webauthn import (
        AttestationConveyancePreference,
        PublicKeyCredentialParameters,
        PublicKeyCredentialRpEntity,
        PublicKeyCredentialType,
    )

    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=party.id, name=party.name),
        attestation=AttestationConveyancePreference.DIRECT,
        # By exact origins. The library's own rule takes any subdomain of the relying party's id.
        verify_origin=party.origins.__contains__,
    )
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm) for algorithm in _ALGORITHMS
    ]
    return server


def _state(challenge: bytes) -> dict[str, object]:
    from fido2.utils import websafe_encode
    from fido2.webauthn import UserVerificationRequirement

    return {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement.REQUIRED}


def _inner(options: dict[str, object]) -> Json:
    # A new version of the library may answer in another form: better an error here than options that no browser understands.
    inner = options["publicKey"]
    if not isinstance(inner, Mapping):
        raise TypeError("the fido2 library no longer answers options under `publicKey`")
    return {**inner, "timeout": TIMEOUT}


def _verify_statement(attestation: AttestationObject, client_data_hash: bytes) -> None:
    from fido2.attestation.base import Attestation

    statement = Attestation.for_type(attestation.fmt)()
    statement.verify(attestation.att_stmt, attestation.auth_data, client_data_hash)


def _refuse_cross_origin(is_cross_origin: object) -> None:
    # A frame on another site must not ask for our keys (section 13.4.9).
    if is_cross_origin:
        raise ValueError("it was made inside another site's frame")


def _refuse_impossible_backup(data: AuthenticatorData) -> None:
    # What is not made to be backed up can't be (sections 6.1.3, 7.1 step 17 and 7.2 step 19).
    if data.is_backed_up() and not data.is_backup_eligible():
        raise ValueError("it says that its key is backed up, and that it can't be")


def _malformed() -> tuple[type[Exception], ...]:
    """Return what the library raises for hostile answers: its own errors, and those of decoding JSON and CBOR."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from fido2.attestation.base import InvalidAttestation

    return (
        # Of certificates in attestations, which need not have what the library looks for in them.
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
        x509.AttributeNotFound,
        InvalidAttestation,
        InvalidSignature,
        UnsupportedAlgorithm,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        AssertionError,
        NotImplementedError,
        RecursionError,
        OverflowError,
        struct.error,
    )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _credential(passkey: Passkey) -> AttestedCredentialData:
    from fido2 import cbor
    from fido2.cose import CoseKey
    from fido2.webauthn import Aaguid, AttestedCredentialData

    key = cbor.decode(passkey.public_key)
    if not isinstance(key, Mapping):
        raise TypeError("the stored key is no COSE key")
    return AttestedCredentialData.create(Aaguid.parse(passkey.aaguid), passkey.credential_id, CoseKey.parse(key))


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    from fido2.webauthn import AuthenticatorTransport, PublicKeyCredentialDescriptor, PublicKeyCredentialType

    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY,
        id=passkey.credential_id,
        transports=[AuthenticatorTransport(transport) for transport in passkey.transports] or None,
    )


def _transports(answer: Json) -> tuple[str, ...]:
    from fido2.webauthn import AuthenticatorTransport

    response = answer.get("response")
    listed = response.get("transports") if isinstance(response, Mapping) else None
    known = sorted(transport.value for transport in AuthenticatorTransport)
    return tuple(transport for transport in known if transport in listed) if isinstance(listed, list) else ()
