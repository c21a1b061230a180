"""A wrapping key in a key management service that speaks AWS's API (Encrypt and Decrypt of KMS)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from crownkeep import bounded_clients
from crownkeep.bounded_clients import UnreadableAnswer
from crownkeep.wrapping.faults import UnusableKeyHolder

_MOST_BYTES = 4096
"""What KMS encrypts at most (Encrypt, "Plaintext")."""
_SECONDS = 15.0


class ServiceKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="kms", tag_field="by"):
    """A key of a key management service. Who may use it is said by the process's own AWS credentials."""

    key: str
    """Its id, alias or ARN."""
    region: str
    endpoint: str = ""
    """Where the service is; AWS's own unless given."""

    @property
    def spoken(self) -> str:
        """Say whose key it is, for people."""
        return f"the key `{self.key}` of the key management service in {self.region}"

    @contextmanager
    def opened(self, _pin: object) -> Iterator[ServiceKey]:
        """Return itself: each use of the service is a request of its own, and needs no PIN."""
        yield self

    def wrap(self, plain: bytes, bound_to: bytes) -> bytes:
        """Let the service encrypt; raises UnusableKeyHolder."""
        if len(plain) > _MOST_BYTES:
            raise UnusableKeyHolder("the key file is too long for a key management service: take old keys out of it first")
        return self._asked("encrypt", "CiphertextBlob", Plaintext=plain, EncryptionContext=_context(bound_to))

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Let the service decrypt; raises UnusableKeyHolder."""
        return self._asked("decrypt", "Plaintext", CiphertextBlob=wrapped, EncryptionContext=_context(bound_to))

    def _asked(self, operation: str, member: str, **parameters: object) -> bytes:
        from botocore.config import Config

        # A server that can't get its key must say so soon, and its supervisor tries again.
        config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=10)
        try:
            with bounded_clients.reading():
                client = bounded_clients.create(
                    "kms", region=self.region, endpoint=self.endpoint, config=config, seconds=_SECONDS
                )
                found = getattr(client, operation)(KeyId=self.key, **parameters)[member]
        except UnreadableAnswer as error:
            # Never what else a service says: it may repeat what it was sent.
            if error.is_refusal:
                raise UnusableKeyHolder(f"{self.spoken} was refused: {error}") from error
            raise UnusableKeyHolder(
                f"{self.spoken} can't be used ({error}): see its address and this process's AWS credentials"
            ) from error
        if not isinstance(found, bytes):
            raise UnusableKeyHolder(f"{self.spoken} answers something else than bytes")
        return found


def _context(bound_to: bytes) -> dict[str, str]:
    return {"purpose": bound_to.decode()}
