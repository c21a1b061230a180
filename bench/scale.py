"""`make bench-scale`: whether what a request costs stays the same in a large installation, and what its long reads take.

An installation of many accounts, each with as many users as AWS lets it have and two access keys for each, and a trail of events.
The same questions are asked of a small installation and of the large one. Rows go straight into storage: signing a request for
each user would take a day. Events get their places in the trail's tree before anything is measured.

`make bench-scale ARGS="--accounts 200 --events 10000000"` is an installation of a million users; `--database postgresql://...`
measures on that, which must be empty.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench import load, servers
from bench.requests import Signer
from bench.servers import Server
from crownkeep import clock, ids
from crownkeep.credentials import access_keys as key_ids
from crownkeep.ids import Prefix
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import access_keys
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.trail import checkpoints, events, leaves
from crownkeep.storage.trail.events import EventRow

USERS = 5_000
KEYS = 2
SMALL = 2
SECONDS = 1.5
ROUNDS = 3
CONNECTIONS = 32
RESULTS = Path(__file__).parent / "results"

_BATCH = 5_000
_PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Installation:
    """How large it is."""

    accounts: int
    events: int


def main() -> None:
    """Measure a small and a large installation, print both, and keep the figures in bench/results."""
    options = _options()
    small = Installation(SMALL, options.events * SMALL // options.accounts)
    large = Installation(options.accounts, options.events)
    found = {}
    for name, installation in (("small", small), ("large", large)):
        with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
            found[name] = _measured(Path(directory), installation, f"{options.database}_{name}" if options.database else "")
    _print(small, large, found)
    RESULTS.mkdir(exist_ok=True)
    kept = {"small": asdict(small) | found["small"], "large": asdict(large) | found["large"]}
    (RESULTS / "scale.json").write_text(json.dumps(kept, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a large installation beside a small one.")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--database", default="", help="a URL to which `_small` and `_large` are added; SQLite unless given")
    return parser.parse_args()


def _measured(directory: Path, installation: Installation, database: str) -> dict[str, float]:
    with _serving(directory, database) as server:
        answer = server.make_account("measured")
    began = time.monotonic()
    url = database or f"sqlite:///{directory / 'data' / 'crownkeep.db'}"
    _fill(url, answer["account_id"], installation)
    print(f"  filled {installation.accounts:,} accounts, {installation.events:,} events: {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    with _serving(directory, database) as server:
        found = {"start to the first answer (s)": time.monotonic() - began}
        found["CPU of putting an event into the tree (us)"] = _sequenced(server, url, installation.events)
        signer = Signer(answer["admin"]["access_key_id"], answer["admin"]["secret_access_key"], server.port)
        return found | _costs(server, signer) | _long_reads(signer) | {"memory afterwards (MiB)": server.memory_mib()}


def _sequenced(server: Server, url: str, count: int) -> float:
    """Wait until a checkpoint counts every event, and return the microseconds of CPU that each took; a start is among them."""
    database, began = Database(url), time.monotonic()
    while time.monotonic() - began < _PATIENCE_SECONDS:
        with database.snapshot() as db:
            newest = checkpoints.newest(db)
            if not leaves.has_pending(db) and newest is not None and newest.size == leaves.count(db):
                break
        time.sleep(0.2)
    database.close()
    return server.cpu_seconds() / count * 1e6


@contextmanager
def _serving(directory: Path, database: str) -> Iterator[Server]:
    settings: Mapping[str, str] = servers.UNLIMITED | ({"CROWNKEEP_DATABASE": database} if database else {})
    with servers.crownkeep(directory, settings) as server:
        yield server


def _costs(server: Server, signer: Signer) -> dict[str, float]:
    """Return the CPU of some operations, the least of several rounds."""
    names = [f"user-{number * USERS // 64:05}" for number in range(64)]
    asked = {
        "GetCallerIdentity": [signer.sign("sts", "GetCallerIdentity")],
        "GetUser": [signer.sign("iam", "GetUser", {"UserName": name}) for name in names],
        "ListUsers (100)": [signer.sign("iam", "ListUsers", {"MaxItems": "100"})],
    }
    found = {}
    for operation, requests in asked.items():
        costs = []
        for _ in range(ROUNDS):
            before = server.cpu_seconds()
            measured = load.repeatedly(requests, port=server.port, connections=CONNECTIONS, seconds=SECONDS)
            costs.append((server.cpu_seconds() - before) / measured.count * 1e6)
        found[f"{operation}: CPU (us)"] = min(costs)
    return found


def _long_reads(signer: Signer) -> dict[str, float]:
    """Return how long each long read takes, asked alone."""
    asked = {
        "LookupEvents by name (s)": signer.target("cloudtrail", "CloudTrail_20131101.LookupEvents", _LOOKED_UP),
        "GenerateCredentialReport (s)": signer.sign("iam", "GenerateCredentialReport"),
        "GetAccountAuthorizationDetails, 1,000 (s)": signer.sign("iam", "GetAccountAuthorizationDetails", {"MaxItems": "1000"}),
    }
    found = {}
    for what, request in asked.items():
        measured = load.once([request], port=signer.port, connections=1, seconds=_PATIENCE_SECONDS)
        if measured.failures:
            raise RuntimeError(f"{what} was refused: {measured.failures[0]!r}")
        found[what] = measured.latencies[0]
    return found


_LOOKED_UP: Mapping[str, Any] = {
    "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}],
    "MaxResults": 50,
}


def _fill(url: str, measured: str, installation: Installation) -> None:
    database, now = Database(url), clock.now()
    account_ids = [measured, *(str(300_000_000_000 + number) for number in range(installation.accounts - 1))]
    for number, account_id in enumerate(account_ids):
        with database.transaction() as db:
            if account_id != measured:
                accounts.add(db, _account(account_id, number, now))
            _people(db, account_id, now)
            accounts.touch(db, account_id, clock.revision())
    for first in range(0, installation.events, _BATCH):
        numbers = range(first, min(first + _BATCH, installation.events))
        with database.transaction() as db:
            events.add_all(db, [_event(account_ids[each % len(account_ids)], each, now) for each in numbers])
    database.close()


def _account(account_id: str, number: int, now: datetime) -> AccountRow:
    email = f"root-{number}@scale.example"
    return AccountRow(account_id, f"scale {number}", email, email, "ACTIVE", now, None, clock.revision(), None, None, None, 0)


def _people(db: Transaction, account_id: str, now: datetime) -> None:
    made, keys = [], []
    for number in range(USERS - 1):
        name, user_id = f"user-{number:05}", ids.unique_id(Prefix.USER, clock.token_bytes(16))
        made.append(
            {
                "user_id": user_id,
                "account_id": account_id,
                "name": name,
                "name_key": name,
                "path": "/",
                "created_at": now,
                "number": number + 2,
            }
        )
        for _ in range(KEYS):
            key_id = key_ids.mint(key_ids.KeyPrefix.LONG_TERM, account_id, clock.token_bytes(key_ids.ID_ENTROPY))
            keys.append(
                {
                    "access_key_id": key_id,
                    "account_id": account_id,
                    "owner_id": user_id,
                    "sealed_secret": b"none",
                    "status": "Active",
                    "created_at": now,
                }
            )
    db.execute(insert(users.table), made)
    db.execute(insert(access_keys.table), keys)


def _event(account_id: str, number: int, now: datetime) -> EventRow:
    name = ("GetUser", "ListUsers", "TagUser")[number % 3]
    event_id = ids.event_id(now, clock.token_bytes(10))
    record = {"eventVersion": "1.11", "eventName": name, "eventID": str(event_id), "recipientAccountId": account_id}
    body = json.dumps(record).encode()
    return EventRow(account_id, event_id, now, "iam.amazonaws.com", name, "true", f"user-{number % USERS:05}", "AKIA", body)


def _print(small: Installation, large: Installation, found: Mapping[str, Mapping[str, float]]) -> None:
    def size(each: Installation) -> str:
        return f"{each.accounts:,} accounts of {USERS:,} users, {each.events:,} events"

    print(f"\nsmall: {size(small)}; large: {size(large)}\n")
    print(f"{'':46}{'small':>10}{'large':>10}{'large to small':>16}")
    for what, figure in found["small"].items():
        larger = found["large"][what]
        digits = 2 if figure < 10 else 0
        print(f"{what:46}{figure:10,.{digits}f}{larger:10,.{digits}f}{larger / figure:15.2f}x")


if __name__ == "__main__":
    main()
