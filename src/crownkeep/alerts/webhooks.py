"""Webhooks as Standard Webhooks 1.0 has them: what is sent, how it is signed, and when it is tried again.

The id stays the same over all attempts, so that receivers can drop what they have got; the timestamp is the attempt's. Two
secrets sign while one is replaced by the other
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crownkeep.alerts import outbound
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.secret import Secret
from crownkeep.storage.notices.outbox import NoticeRow

HMAC_PREFIX, PRIVATE_PREFIX, PUBLIC_PREFIX = "whsec_", "whsk_", "whpk_"
SECRET_BYTES = 32

SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""How long after each failed attempt the next one comes; after the last of ten nothing is tried any more."""
JITTER = 0.2
"""By which part a delay is longer at most, so that not all come back at once."""
_LONGEST_WAIT = timedelta(days=1)
_SECONDS = re.compile(r"\d{1,6}")


def hmac_secret(chance: bytes) -> Secret:
    """Return the secret of a new receiver, made of 24 to 64 bytes of chance."""
    return Secret(HMAC_PREFIX + base64.b64encode(chance).decode())


def private_key(chance: bytes) -> Secret:
    """Return the private key of a new receiver, made of 32 bytes of chance (RFC 8032)."""
    return Secret(PRIVATE_PREFIX + base64.b64encode(chance).decode())


def public_key(key: Secret) -> str:
    """Return what a receiver verifies with."""
    raw = _ed25519(key.reveal()).public_key().public_bytes_raw()
    return PUBLIC_PREFIX + base64.b64encode(raw).decode()


def signature(secrets: Sequence[Secret], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header that signs a message, once for each secret."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signed(secret.reveal(), content) for secret in secrets)


def message_id(row: NoticeRow) -> str:
    """Return by which a receiver knows a message again."""
    return f"msg_{row.notice_id}"


def body_of(row: NoticeRow, values: Mapping[str, str], url: str) -> bytes:
    """Return what is sent: the type, the time of the event, and little more than leads to its record."""
    about = {name: value for name, value in values.items() if name in _SHOWN and value}
    if values.get("event_id"):
        about["console_url"] = f"{url}/console/trail/event?id={values['event_id']}"
    if values.get("others"):
        about["other_rules"] = values["others"]
    return msgspec.json.encode({"type": kind(row), "timestamp": row.created_at, "data": {"account_id": row.account_id, **about}})


def kind(row: NoticeRow) -> str:
    """Return the type of a message, such as `alert.root-signed-in`."""
    return f"alert.{row.rule}" if row.rule else f"receiver.{row.kind.removeprefix('receiver-')}"


def send(url: str, row: NoticeRow, body: bytes, secrets: Sequence[Secret], *, now: datetime, networks: Sequence[str]) -> None:
    """Send a message; only an answer of 200 to 299 says that it has arrived. Raises Undelivered."""
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "crownkeep",
        "webhook-id": message_id(row),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secrets, message_id(row), timestamp, body),
    }
    answer = outbound.post(url, body, headers, networks)
    if 200 <= answer.status < 300:
        return
    fault = f"the receiver answers with status {answer.status}"
    if 300 <= answer.status < 400:
        fault += ", and redirects are not followed"
    # 410 is how a receiver says for good that it wants no more (Standard Webhooks 1.0).
    raise Undelivered(fault, retry_after=_wait(answer.retry_after), is_gone=answer.status == 410)


def delay(attempts: int, chance: float) -> timedelta | None:
    """Return how long a message waits after so many failed attempts, `chance` from 0 to 1; None where it is given up."""
    # The first attempt is not in the schedule, so there is one attempt more than there are delays.
    if attempts > len(SCHEDULE):
        return None
    wait: timedelta = SCHEDULE[attempts - 1] * (1 + JITTER * chance)
    return wait


_SHOWN = frozenset(
    {"rule", "severity", "says", "advice", "event", "event_id", "when", "address", "detail", "digest", "runbook", "code"}
)


def _wait(header: str) -> timedelta | None:
    # The other form, a date, is for clocks that agree; the schedule is good enough there.
    return min(timedelta(seconds=int(header)), _LONGEST_WAIT) if _SECONDS.fullmatch(header.strip()) else None


def _signed(secret: str, content: bytes) -> str:
    if secret.startswith(PRIVATE_PREFIX):
        return f"v1a,{base64.b64encode(_ed25519(secret).sign(content)).decode()}"
    digest = hmac.digest(_bytes_of(secret, HMAC_PREFIX), content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _ed25519(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_bytes_of(secret, PRIVATE_PREFIX))


def _bytes_of(secret: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(prefix), validate=True)
    except binascii.Error as error:
        raise Undelivered("the receiver's secret can't be read; rotate it") from error
