"""Making long-term access keys: the id that carries its account, and the secret that is shown once and kept sealed."""

from __future__ import annotations

from crownkeep import clock
from crownkeep.credentials import access_keys as minting
from crownkeep.credentials.access_keys import KeyPrefix
from crownkeep.credentials.secret import Secret
from crownkeep.operations import sealed
from crownkeep.operations.call import Call
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.credentials.access_keys import AccessKeyRow


def add(call: Call, account_id: str, owner_id: str) -> tuple[AccessKeyRow, Secret]:
    """Make and keep an active key of a user or, where the owner is the account itself, of root; answer it with its secret."""
    access_key_id = _unused_id(call, account_id)
    secret = minting.mint_secret(clock.token_bytes(minting.SECRET_ENTROPY))
    row = AccessKeyRow(
        access_key_id=access_key_id,
        account_id=account_id,
        owner_id=owner_id,
        sealed_secret=sealed.seal_access_key_secret(call.keyring, secret, account_id=account_id, access_key_id=access_key_id),
        status="Active",
        created_at=call.now,
        used_at=None,
        used_service=None,
        used_region=None,
    )
    access_keys.add(call.db, row)
    return row, secret


def _unused_id(call: Call, account_id: str) -> str:
    # 39 bits tell the keys of an account apart, so two can meet, though hardly ever.
    while True:
        access_key_id = minting.mint(KeyPrefix.LONG_TERM, account_id, clock.token_bytes(minting.ID_ENTROPY))
        if access_keys.with_id(call.db, access_key_id) is None:
            return access_key_id
