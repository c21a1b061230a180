"""Secrets at rest: which purpose and which place each kind of sealed value is bound to.

A blob copied to another account's or another owner's row does not open there (`credentials.sealing`).
"""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import clock
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.credentials.secret import Secret

_KEY_CHECK = "crownkeep"


def seal_access_key_secret(keyring: Keyring, secret: Secret, *, account_id: str, access_key_id: str) -> bytes:
    """Seal the secret of a long-term access key for its row."""
    return _seal(keyring, secret, Purpose.ACCESS_KEY_SECRET, account_id, access_key_id)


def open_access_key_secret(keyring: Keyring, blob: bytes, *, account_id: str, access_key_id: str) -> Secret:
    """Open what `seal_access_key_secret` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.ACCESS_KEY_SECRET, account_id, access_key_id)


def seal_totp_seed(keyring: Keyring, seed: Secret, *, account_id: str, serial: str) -> bytes:
    """Seal the seed of a TOTP device for its row."""
    return _seal(keyring, seed, Purpose.TOTP_SEED, account_id, serial)


def open_totp_seed(keyring: Keyring, blob: bytes, *, account_id: str, serial: str) -> Secret:
    """Open what `seal_totp_seed` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.TOTP_SEED, account_id, serial)


def seal_notice(keyring: Keyring, values: Secret, *, account_id: str, notice_id: str) -> bytes:
    """Seal what a notice says for its row in the outbox: it may hold a one-time link."""
    return _seal(keyring, values, Purpose.NOTICE, account_id, notice_id)


def open_notice(keyring: Keyring, blob: bytes, *, account_id: str, notice_id: str) -> Secret:
    """Open what `seal_notice` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.NOTICE, account_id, notice_id)


def seal_webhook_secret(keyring: Keyring, secret: Secret, *, account_id: str, receiver_id: str) -> bytes:
    """Seal what is secret of a receiver for its row: what signs the messages to a webhook, or the URL of a service."""
    return _seal(keyring, secret, Purpose.WEBHOOK_SECRET, account_id, receiver_id)


def open_webhook_secret(keyring: Keyring, blob: bytes, *, account_id: str, receiver_id: str) -> Secret:
    """Open what `seal_webhook_secret` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.WEBHOOK_SECRET, account_id, receiver_id)


def seal_signing_key(keyring: Keyring, private_pem: Secret, *, account_id: str, key_id: str) -> bytes:
    """Seal the private key that signs an account's web identity tokens for its row."""
    return _seal(keyring, private_pem, Purpose.SIGNING_KEY, account_id, key_id)


def open_signing_key(keyring: Keyring, blob: bytes, *, account_id: str, key_id: str) -> Secret:
    """Open what `seal_signing_key` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.SIGNING_KEY, account_id, key_id)


def seal_trail_key(keyring: Keyring, seed: Secret, *, vkey_id: str) -> bytes:
    """Seal the seed of a key that signs the trail's checkpoints for its row."""
    return _seal(keyring, seed, Purpose.TRAIL_KEY, vkey_id)


def open_trail_key(keyring: Keyring, blob: bytes, *, vkey_id: str) -> Secret:
    """Open what `seal_trail_key` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.TRAIL_KEY, vkey_id)


def seal_bucket_secret(keyring: Keyring, secret: Secret, *, account_id: str, bucket_id: str) -> bytes:
    """Seal the secret key that log files are sent to a bucket with for its row."""
    return _seal(keyring, secret, Purpose.BUCKET_SECRET, account_id, bucket_id)


def open_bucket_secret(keyring: Keyring, blob: bytes, *, account_id: str, bucket_id: str) -> Secret:
    """Open what `seal_bucket_secret` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.BUCKET_SECRET, account_id, bucket_id)


def seal_digest_key(keyring: Keyring, private_pem: Secret, *, region: str, fingerprint: str) -> bytes:
    """Seal the private key that signs digests of a Region for its row."""
    return _seal(keyring, private_pem, Purpose.DIGEST_KEY, region, fingerprint)


def open_digest_key(keyring: Keyring, blob: bytes, *, region: str, fingerprint: str) -> Secret:
    """Open what `seal_digest_key` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.DIGEST_KEY, region, fingerprint)


def seal_client_secret(keyring: Keyring, secret: Secret, *, account_id: str, provider_id: str) -> bytes:
    """Seal the secret by which an identity provider of people knows us for its row."""
    return _seal(keyring, secret, Purpose.CLIENT_SECRET, account_id, provider_id)


def open_client_secret(keyring: Keyring, blob: bytes, *, account_id: str, provider_id: str) -> Secret:
    """Open what `seal_client_secret` made; raises Unsealable."""
    return _open(keyring, blob, Purpose.CLIENT_SECRET, account_id, provider_id)


def seal_key_check(keyring: Keyring) -> bytes:
    """Seal a value that says nothing, by which the newest key is known again."""
    return _seal(keyring, Secret(_KEY_CHECK), Purpose.KEY_CHECK, keyring.newest.id)


def opens_key_check(keyring: Keyring, blob: bytes, *, key_id: str) -> bool:
    """Tell whether a keyring holds the key that sealed this check."""
    try:
        return _open(keyring, blob, Purpose.KEY_CHECK, key_id) == Secret(_KEY_CHECK)
    except sealing.Unsealable:
        return False


def reseal(keyring: Keyring, blob: bytes, *, purpose: Purpose, place: Sequence[str]) -> bytes:
    """Seal what a blob holds again in its place, with the newest key; raises Unsealable."""
    return _seal(keyring, _open(keyring, blob, purpose, *place), purpose, *place)


def _seal(keyring: Keyring, secret: Secret, purpose: Purpose, *place: str) -> bytes:
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    return sealing.seal(keyring, secret.reveal().encode(), purpose=purpose, context=sealing.context_of(*place), nonce=nonce)


def _open(keyring: Keyring, blob: bytes, purpose: Purpose, *place: str) -> Secret:
    return Secret(sealing.unseal(keyring, blob, purpose=purpose, context=sealing.context_of(*place)).decode())
