"""Service-specific credentials: user names and passwords, or API keys, that one AWS service takes; their secrets are kept hashed.

A secret has 240 random bits and more, so a plain SHA-256 is enough: there is nothing to guess, and so nothing to slow down.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from crownkeep.credentials.secret import Secret

ENTROPY = 32
"""Random bytes of a password or an API key."""


@dataclass(frozen=True, slots=True)
class CredentialService:
    """A service that takes credentials of its own."""

    key_prefix: str = ""
    """What its API keys begin with; empty where it takes a user name and a password instead."""
    alias_prefix: str = ""
    """What the public part of its API keys begins with."""

    @property
    def takes_api_keys(self) -> bool:
        """Tell whether its credential is one API key, which may expire, and not a user name and a password."""
        return bool(self.key_prefix)


SERVICES: Mapping[str, CredentialService] = {
    "bedrock.amazonaws.com": CredentialService("ABSK", "BedrockAPIKey"),
    "cassandra.amazonaws.com": CredentialService(),
    "codecommit.amazonaws.com": CredentialService(),
    "logs.amazonaws.com": CredentialService("ACWL", "CloudWatchLogsAPIKey"),
}
"""By service name (IAM user guide, "Service-specific credentials for IAM users" and "API keys for AWS services")."""


def user_name(name: str, account_id: str, *, slot: int) -> str:
    """Return the generated user name: `jane-at-123456789012`, and `jane+1-at-123456789012` for the second one."""
    return f"{name}{f'+{slot}' if slot else ''}-at-{account_id}"


def alias(service: CredentialService, name: str, account_id: str, *, slot: int) -> str:
    """Return the public part of an API key, which names its service and its user."""
    return f"{service.alias_prefix}-{user_name(name, account_id, slot=slot)}"


def mint_password(chance: bytes) -> Secret:
    """Return a password from ENTROPY random bytes: 44 characters of Base64, as AWS's end in an equals sign."""
    return Secret(base64.b64encode(_enough(chance)).decode())


def mint_api_key(service: CredentialService, public_part: str, chance: bytes) -> Secret:
    """Return an API key from ENTROPY random bytes: the prefix that scanners know, then public part and secret in Base64."""
    secret = base64.b64encode(_enough(chance)).decode()
    return Secret(service.key_prefix + base64.b64encode(f"{public_part}:{secret}".encode()).decode())


def digest(secret: Secret) -> str:
    """Return what is kept of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()


def _enough(chance: bytes) -> bytes:
    if len(chance) != ENTROPY:
        raise ValueError(f"a secret needs {ENTROPY} random bytes, got {len(chance)}")
    return chance
