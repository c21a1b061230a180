"""A security key in software, for tests: registers and signs as a browser would hand it on."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData


@dataclass
class SoftAuthenticator:
    """One key of one device. Every field can be set to what an attacker would make it."""

    rp_id: str = "crownkeep.example"
    origin: str = "https://crownkeep.example"
    aaguid: bytes = bytes(16)
    credential_id: bytes = b"credential-1"
    counter: int = 0
    flags: int = 0x05
    cross_origin: bool = False
    handle: bytes | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def register(self, challenge: bytes, *, fmt: str = "none", type_: str = "webauthn.create") -> dict[str, Any]:
        client_data = self.client_data(type_, challenge)
        public_key = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(self.aaguid, self.credential_id, public_key)
        data = self.authenticator_data(self.flags | 0x40, credential)
        statement = {"alg": -7, "sig": self.sign(data + client_data.hash)} if fmt == "packed" else {}
        attestation = AttestationObject.create(fmt, data, statement)
        response = {"clientDataJSON": websafe_encode(client_data), "attestationObject": websafe_encode(attestation)}
        return self.answer({**response, "transports": ["usb", "nfc", "carrier-pigeon"]})

    def authenticate(self, challenge: bytes, *, type_: str = "webauthn.get") -> dict[str, Any]:
        client_data = self.client_data(type_, challenge)
        data = self.authenticator_data(self.flags, b"")
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.sign(data + client_data.hash)),
        }
        if self.handle is not None:
            response["userHandle"] = websafe_encode(self.handle)
        return self.answer(response)

    def client_data(self, type_: str, challenge: bytes) -> CollectedClientData:
        return CollectedClientData.create(type_, challenge, self.origin, self.cross_origin)

    def authenticator_data(self, flags: int, credential: bytes) -> AuthenticatorData:
        rp_id_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return AuthenticatorData.create(rp_id_hash, AuthenticatorData.FLAG(flags), self.counter, credential)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def answer(self, response: dict[str, Any]) -> dict[str, Any]:
        encoded = websafe_encode(self.credential_id)
        return {
            "id": encoded,
            "rawId": encoded,
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": response,
        }
