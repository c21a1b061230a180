"""Throttling of sign-in: failures are counted for each person, browser, address and account, and each next try waits longer.

An attempt is counted before anything is verified and taken back when it succeeds, so that many at once gain nothing. Nobody is
locked out for good: a wait ends by itself, refused tries do not prolong it, and a browser that its person has signed in with
before is counted by itself alone, so that neither strangers' failures nor those of its network keep its person out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, ip_address

from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.settings import Settings
from crownkeep.signin import sweeping
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import signin_throttles
from crownkeep.storage.sign_in.signin_throttles import ThrottleRow

REMEMBERED = timedelta(hours=2)
"""After so long without a failure the count begins anew; longer than any wait."""

SKEW = timedelta(minutes=1)
"""How far ahead of a try a failure may lie and count: nodes' clocks differ, and of tries at once the later may come in first."""

_FIRST_WAIT_SECONDS = 2
# How many times as many failures are free for what many people share.
_ADDRESS, _ACCOUNT = 6, 40
_LONGEST_ACCOUNT_WAIT = timedelta(seconds=30)


class Scope(Enum):
    """Whose attempts a counter counts."""

    PERSON = "person"
    BROWSER = "browser"
    ADDRESS = "address"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter, its limits, and the digest under which it is kept."""

    scope: Scope
    digest: bytes
    account_id: str
    free: int
    longest: timedelta


Held = tuple[tuple[Counter, ThrottleRow | None], ...]
"""The counters of an attempt, each with its row as it is held."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The attempt is refused unseen: whoever makes it must wait."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody claims to be, known here or not: `name` is root's e-mail address or `ACCOUNT/USER`, in lower case."""

    name: str
    account_id: str = ""
    """The account where it exists."""
    is_root: bool = False
    is_persons: bool = False
    """Whether it is a person of single sign-on: then `name` is `STORE/USER`."""


def counters(keyring: Keyring, settings: Settings, claim: Claim, *, address: str, browser: str = "") -> tuple[Counter, ...]:
    """Return the counters of an attempt; `browser` is what a known browser of this person proves to be, empty for others.

    A known browser is delayed by no address and no account: behind one translated address (NAT), or a proxy that the operator has
    not declared, one stranger would keep out everybody. It can try for nobody else than its person.
    """
    # Alone: a person whose browser is known is held up by nobody's failures but their own.
    if browser:
        return (own(keyring, settings, claim, browser=browser),)
    # An address has more free failures, as an office may share one.
    found = [
        own(keyring, settings, claim),
        _counter(keyring, settings, claim, Scope.ADDRESS, network(address), times=_ADDRESS),
    ]
    if claim.account_id and not claim.is_root:
        # Root is left out: the failures of an account's users must not delay it.
        found.append(_counter(keyring, settings, claim, Scope.ACCOUNT, claim.account_id, times=_ACCOUNT))
    return tuple(found)


def own(keyring: Keyring, settings: Settings, claim: Claim, *, browser: str = "") -> Counter:
    """Return the counter that is nobody else's: a known browser's, or the person's where the browser is not known."""
    if browser:
        return _counter(keyring, settings, claim, Scope.BROWSER, f"{claim.name} {browser}")
    return _counter(keyring, settings, claim, Scope.PERSON, claim.name)


def _counter(keyring: Keyring, settings: Settings, claim: Claim, scope: Scope, value: str, *, times: int = 1) -> Counter:
    # Keyed, so that the table tells nobody which names and addresses were tried.
    # The scope is a part of the message: a name that looks like an address is another counter.
    message = f"throttle {scope.value} {value}".encode("utf-8", "replace")
    digest = sealing.fingerprint(keyring, message, purpose=Purpose.SIGN_IN_FLOW)
    longest = timedelta(seconds=settings.sign_in_longest_delay_seconds)
    if scope is Scope.ACCOUNT:
        longest = min(longest, _LONGEST_ACCOUNT_WAIT)
    account_id = claim.account_id if scope is not Scope.ADDRESS else ""
    return Counter(scope, digest, account_id, settings.sign_in_attempts * times, longest)


def reserve(db: Transaction, used: Iterable[Counter], *, now: datetime) -> Waiting | None:
    """Count an attempt that is about to be made, or answer how long it must wait."""
    held = hold(db, used, now=now)
    if isinstance(held, Waiting):
        # Refused tries are not counted. Otherwise a stranger could keep somebody out by trying on.
        return held
    count(db, held, now=now)
    return None


def hold(db: Transaction, used: Iterable[Counter], *, now: datetime) -> Held | Waiting:
    """Hold the counters of an attempt that is verified in this same transaction, or answer how long it must wait.

    Unless the attempt was good, `count` must count it before the transaction ends.
    """
    # Always in the order of `counters`, or two sign-ins on PostgreSQL could wait for each other's rows.
    # Rows are locked as they are read: of two tries at once the second one sees the first one's count.
    held = tuple((counter, signin_throttles.held(db, counter.digest)) for counter in used)
    waits = [row.blocked_until - now for _, row in held if row is not None and _counts(row, now) and _blocks(row, now)]
    return Waiting(max(waits)) if waits else held


def count(db: Transaction, held: Held, *, now: datetime) -> None:
    """Count an attempt whose counters are held."""
    for counter, row in held:
        failures = row.failures + 1 if row is not None and _counts(row, now) else 1
        # The wait begins with the attempt, before anybody knows whether it is right: it is taken back where it was.
        wait = delay(failures, free=counter.free, longest=counter.longest)
        changed = ThrottleRow(counter.digest, counter.account_id, failures, now, now + wait)
        # An update would also find the row that another node has made since, and count two attempts as one.
        if row is None:
            signin_throttles.add(db, changed)
        else:
            signin_throttles.change(db, changed)


def waiting(db: Transaction, used: Iterable[Counter], *, now: datetime) -> bool:
    """Tell whether an attempt would be refused, without counting one: to spare the work of verifying it."""
    rows = [signin_throttles.with_digest(db, counter.digest) for counter in used]
    # A row of the future is from before a clock was set back, and must not block for as long as that was.
    return any(row is not None and row.failed_at - SKEW <= now and _blocks(row, now) for row in rows)


def release(db: Transaction, used: Iterable[Counter]) -> None:
    """Take back an attempt that was good."""
    # A counter goes back by one and not to zero: others' tries at the same address stay counted.
    for counter in used:
        signin_throttles.take_back(db, counter.digest)


def clear(db: Transaction, used: Iterable[Counter], *, now: datetime) -> None:
    """Forget the failures of somebody who has signed in; those of an address and an account count on.

    Otherwise whoever has one password of their own could try others' for ever.
    """
    if sweeping.is_due():
        signin_throttles.forget(db, before=now - REMEMBERED)
    for counter in used:
        if counter.scope in (Scope.PERSON, Scope.BROWSER):
            signin_throttles.remove(db, counter.digest)


def started(db: Transaction, used: Iterable[Counter], *, now: datetime) -> tuple[Scope, timedelta] | None:
    """Return the longest wait that the last failure has brought about, and for whom; None where there is none."""
    waits = []
    for counter in used:
        row = signin_throttles.with_digest(db, counter.digest)
        if row is not None and _blocks(row, now):
            waits.append((counter.scope, row.blocked_until - now))
    return max(waits, key=lambda each: each[1], default=None)


def delay(failures: int, *, free: int, longest: timedelta) -> timedelta:
    """Return how long to wait after so many failures: nothing before `free` of them, then 2 s, 4 s, 8 s, up to the longest."""
    if failures < free:
        return timedelta(0)
    # Beyond 2^20 s every wait is the longest; the exponent is bounded so that no count makes the number huge.
    return min(longest, timedelta(seconds=_FIRST_WAIT_SECONDS << min(failures - free, 20)))


def _blocks(row: ThrottleRow, now: datetime) -> bool:
    """Tell whether a row makes an attempt wait.

    A failure that brings no wait is blocked until the moment it happened: of attempts at once the one that came first, and counts
    last, must not wait for that moment.
    """
    return row.blocked_until > now and row.blocked_until > row.failed_at


def _counts(row: ThrottleRow, now: datetime) -> bool:
    """Tell whether a row still counts: nothing old does, and nothing that a clock leaves behind that is set back."""
    return row.failed_at - SKEW <= now <= row.failed_at + REMEMBERED


def network(address: str) -> str:
    """Return what is counted of an address: of IPv6 the /64, for everybody has as many of those as they like.

    An IPv4 address written as one of IPv6 (`::ffff:192.0.2.1`) is itself: by their /64 all of them would be one.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    # Four groups of four digits with their colons: the first 64 bits.
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.exploded[:19]
