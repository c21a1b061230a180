"""Alerts as syslog messages (RFC 5424) over TLS, each with its length before it (RFC 5425)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from crownkeep.alerts import outbound, webhooks
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.storage.notices.outbox import NoticeRow

_LOG_AUDIT = 13
_SEVERITIES = {"critical": 2, "high": 4, "low": 6}
_INFORMATIONAL = 6
# The number that RFC 5612 keeps for examples: we have none of our own, and receivers go by the name before it.
_ELEMENT = "alert@32473"
_NAMES = ("account_id", "rule", "severity", "event", "event_id", "address", "detail", "digest", "code")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_ESCAPED = re.compile(r'(["\\\]])')
_LONGEST_VALUE = 1024


def message(row: NoticeRow, values: Mapping[str, str], host: str) -> bytes:
    """Return the message of a notice."""
    priority = _LOG_AUDIT * 8 + _SEVERITIES.get(values.get("severity", ""), _INFORMATIONAL)
    known = {"id": webhooks.message_id(row), "account_id": row.account_id, **values}
    element = " ".join(f'{name}="{_escaped(known[name])}"' for name in ("id", *_NAMES) if known.get(name))
    moment = row.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    header = f"<{priority}>1 {moment} {_token(host, 255)} crownkeep - {_token(webhooks.kind(row), 32)}"
    text = values.get("says") or f"Crownkeep sends alerts about account {row.account_id} here"
    return f"{header} [{_ELEMENT} {element}] ".encode() + b"\xef\xbb\xbf" + _on_one_line(text).encode()


def send(target: str, framed: bytes, networks: Sequence[str]) -> None:
    """Send a message to `HOST:PORT`; raises Undelivered."""
    place = outbound.split_host_port(target)
    if place is None:
        raise Undelivered("the receiver is no `HOST:PORT`")
    outbound.send_tls(*place, str(len(framed)).encode() + b" " + framed, networks)


def _token(text: str, longest: int) -> str:
    return _UNPRINTABLE.sub("_", text)[:longest] or "-"


def _escaped(value: str) -> str:
    return _ESCAPED.sub(r"\\\1", _on_one_line(value[:_LONGEST_VALUE]))


def _on_one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text).encode("utf-8", "replace").decode()
