"""Quotas: how much an account may have of something; each has a default, and the operator may set it for an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import account_quotas
from crownkeep.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota. It holds from the next request on, on every worker: what it is set to is read with each use."""

    name: str
    """As GetAccountSummary names it, or would."""
    default: int
    least: int
    most: int
    """What the operator may set it to, both ends included."""


_defined: dict[str, Quota] = {}


def define(name: str, default: int, *, most: int, least: int = 0) -> Quota:
    """Define a quota; a service does so once for each of its own."""
    if name in _defined or not least <= default <= most:
        raise ValueError(f"quota `{name}` is defined twice, or its default is out of its range")
    quota = _defined[name] = Quota(name, default, least, most)
    return quota


def named(name: str) -> Quota | None:
    """Return the quota with this name."""
    return _defined.get(name)


def defined() -> list[Quota]:
    """Return every quota of every service, by name."""
    return [_defined[name] for name in sorted(_defined)]


def of(call: Call, quota: Quota) -> int:
    """Return a quota of the call's account."""
    return in_account(call.db, call.account_id, quota)


def in_account(db: Transaction, account_id: str, quota: Quota) -> int:
    """Return a quota of an account."""
    found = account_quotas.value(db, account_id, quota.name)
    return quota.default if found is None else found


def all_of(call: Call) -> Mapping[str, int]:
    """Return all quotas of the call's account by name, in one query."""
    return {quota.name: quota.default for quota in _defined.values()} | account_quotas.of_account(call.db, call.account_id)


def require_room(call: Call, count: int, quota: Quota, *, name: str) -> None:
    """Raise LimitExceeded where `count` of what is to become one more has reached the quota that AWS then calls `name`."""
    require_below(count, of(call, quota), name=name)


def require_below(count: int, most: int, *, name: str) -> None:
    """Raise LimitExceeded where `count` of what is to become one more has reached `most`."""
    if count >= most:
        raise errors.LimitExceeded(f"Cannot exceed quota for {name}: {most}")
