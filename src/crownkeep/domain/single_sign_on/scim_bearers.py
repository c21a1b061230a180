"""Bearer tokens for SCIM: minted once, shown once, kept as digests; two at most for an instance, each for a year."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from crownkeep import base64url, clock, errors
from crownkeep.credentials.secret import Secret
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import Call
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import scim_tokens
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.scim_tokens import ScimTokenRow

LASTS = timedelta(days=365)
MOST = 2
"""So that a token is rotated without a gap: make the second, tell the other directory, delete the first."""

_TOKEN_BYTES = 32


def mint(call: Call, instance: InstanceRow) -> tuple[ScimTokenRow, Secret]:
    """Make a token and keep its digest; raises ConflictException where the instance has two."""
    if len(scim_tokens.of_store(call.db, instance.identity_store_id)) >= MOST:
        raise errors.Conflict(f"the instance has {MOST} tokens already: delete one with `crownkeep sso scim-token delete`")
    token = Secret(base64url.encode(clock.token_bytes(_TOKEN_BYTES)))
    row = ScimTokenRow(
        digest=_digest_of(token.reveal()),
        token_id=instances.entity_id(),
        identity_store_id=instance.identity_store_id,
        account_id=instance.account_id,
        created_at=call.now,
        expires_at=call.now + LASTS,
    )
    scim_tokens.add(call.db, row)
    return row, token


def find(db: Transaction, authorization: str) -> ScimTokenRow | None:
    """Return the token in an Authorization header (RFC 6750, section 2.1), whether it has expired or not."""
    scheme, _, token = authorization.partition(" ")
    return scim_tokens.with_digest(db, _digest_of(token.strip())) if scheme.lower() == "bearer" else None


def endpoint(url: str, instance: InstanceRow) -> str:
    """Return the address that another directory is told, beneath this server's."""
    return f"{url}/{instance.identity_store_id}/scim/v2"


def _digest_of(token: str) -> bytes:
    return hashlib.sha256(f"crownkeep scim token {token}".encode("utf-8", "surrogatepass")).digest()
