"""Detectors: what no single record shows, such as a key used from a new network, or a caller who is refused all the time."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import key_networks
from crownkeep.storage.trail.events import EventRow

MANY = 20
"""Refusals of one caller within WITHIN that are many. Each process counts what it has answered itself."""
WITHIN = timedelta(minutes=5)

_MOST_KEYS = 20_000
_MOST_CALLERS = 10_000
_LONG_TERM = "AKIA"
_POLICY_WRITERS = {"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy", "CreatePolicyVersion"}
_ALL = {"*", "*:*", "iam:*"}
_decoder = msgspec.json.Decoder(dict[str, Any])
_ADDRESS = b'"sourceIPAddress":"'
_REFUSED = (b'"errorCode":"AccessDenied', b"UnauthorizedOperation", b'"ConsoleLogin":"Failure"')


class Networks:
    """From where each long-term key has been used: /24 of IPv4 and /48 of IPv6 are one network."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], set[str]] = OrderedDict()

    def is_new(self, db: Transaction, event: EventRow) -> bool:
        """Tell whether a key that was used before is used from a network that it never was; remembers the network."""
        key_id = event.access_key_id
        if not key_id.startswith(_LONG_TERM):
            return False
        network = _network(_address(event.record))
        known = self._known.get((event.account_id, key_id))
        if not network or (known is not None and network in known):
            return False
        known = key_networks.of_key(db, event.account_id, key_id)
        # Only what a later transaction reads is surely kept: this one may be rolled back and run again.
        self._known[(event.account_id, key_id)] = known
        if len(self._known) > _MOST_KEYS:
            self._known.popitem(last=False)
        if network in known or len(known) >= key_networks.MOST:
            return False
        key_networks.add(db, event.account_id, key_id, network, at=event.happened_at)
        return bool(known)


class Refusals:
    """How many requests of each caller were refused within the span that began with the first."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str, str], tuple[datetime, int]] = OrderedDict()

    def are_many(self, event: EventRow) -> bool:
        """Count a refusal, and tell whether it is the one that makes them many; then counting begins anew."""
        if not _is_refusal(event.record):
            return False
        caller = (event.account_id, event.access_key_id, event.username)
        began_at, count = self._counts.pop(caller, (event.happened_at, 0))
        if event.happened_at - began_at >= WITHIN:
            began_at, count = event.happened_at, 0
        if count + 1 >= MANY:
            return True
        self._counts[caller] = (began_at, count + 1)
        if len(self._counts) > _MOST_CALLERS:
            self._counts.popitem(last=False)
        return False


def _is_refusal(record: bytes) -> bool:
    for mark in _REFUSED:  # noqa: SIM110 - a generator would take twice the time, and every record is looked at
        if mark in record:
            return True
    return False


def makes_administrator(event: EventRow) -> bool:
    """Tell whether a policy was written that lets whoever has it do everything, or everything with IAM."""
    if event.name not in _POLICY_WRITERS:
        return False
    record = _decoder.decode(event.record)
    asked = record.get("requestParameters")
    if "errorCode" in record or not isinstance(asked, Mapping):
        return False
    return allows_everything(str(asked.get("policyDocument", "")))


def allows_everything(text: str) -> bool:
    """Tell whether a policy's text lets whoever has it do everything, or everything with IAM."""
    try:
        document = _decoder.decode(text)
    except msgspec.DecodeError:
        return False
    statements = document.get("Statement")
    return any(_allows_all(each) for each in (statements if isinstance(statements, list) else [statements]))


def _allows_all(statement: object) -> bool:
    if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
        return False
    acts_on_all = "NotResource" in statement or "*" in _texts(statement.get("Resource"))
    # What is not listed is allowed: an exception or two make nobody less of an administrator.
    may_all = "NotAction" in statement or any(action.lower() in _ALL for action in _texts(statement.get("Action")))
    return acts_on_all and may_all


def _texts(value: object) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _address(record: bytes) -> str:
    start = record.find(_ADDRESS)
    if start < 0:
        return ""
    start += len(_ADDRESS)
    return record[start : record.find(b'"', start)].decode("ascii", "replace")


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    first, _, rest = address.partition(".")
    if rest and first.isdigit():
        return address.rpartition(".")[0]
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 48), strict=False).network_address)
    except ValueError:
        # A service by its name, or a command on this machine.
        return ""
