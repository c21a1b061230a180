"""A wrapping key in a key management service that speaks AWS's API (Encrypt and Decrypt of KMS)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from crownkeep.wrapping.faults import UnusableKeyHolder

_MOST_BYTES = 4096
"""What KMS encrypts at most (Encrypt, "Plaintext")."""


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
        return bytes(self._asked("encrypt", Plaintext=plain, EncryptionContext=_context(bound_to))["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Let the service decrypt; raises UnusableKeyHolder."""
        return bytes(self._asked("decrypt", CiphertextBlob=wrapped, EncryptionContext=_context(bound_to))["Plaintext"])

    def _asked(self, operation: str, **parameters: object) -> Any:
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        # A server that can't get its key must say so soon, and its supervisor tries again.
        config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=10)
        try:
            client = botocore.session.get_session().create_client(
                "kms", region_name=self.region, endpoint_url=self.endpoint or None, config=config
            )
            return getattr(client, operation)(KeyId=self.key, **parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "an unknown error")
            raise UnusableKeyHolder(f"{self.spoken} was refused: {code}") from error
        except (BotoCoreError, ValueError) as error:
            # Of an error of the client's own only the kind: its text may hold what was sent.
            raise UnusableKeyHolder(
                f"{self.spoken} can't be used ({type(error).__name__}): see its address and this process's AWS credentials"
            ) from error


def _context(bound_to: bytes) -> dict[str, str]:
    return {"purpose": bound_to.decode()}
