"""`make bench-scale`: whether what a request costs stays the same in a large installation, and what its long reads take.

An installation of many accounts, each with as many users as AWS lets it have and two access keys for each, and a trail of events.
The same questions are asked of a small installation and of the large one, in turn, so that both meet the same neighbours. Events
get their places in the trail's tree before anything is measured.

`make bench-scale ARGS="--accounts 200 --events 10000000 --directory DIR"` is an installation of a million users: on SQLite it
takes 10 GB and half an hour to fill, is kept in DIR, and is measured again by the same command. `--database postgresql://...`
measures on that, which must be empty.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import filling, load, servers
from bench.requests import Signer
from bench.servers import Server
from crownkeep.storage.database import Database
from crownkeep.storage.trail import checkpoints, leaves

SMALL = 2
SECONDS = 1.5
ROUNDS = 5
CONNECTIONS = 32
LOOKS = 40
"""LookupEvents of each kind in a round."""
RESULTS = Path(__file__).parent / "results"

_PATIENCE_SECONDS = 600
_MADE = "accounts.json"

Costs = dict[str, float]


@dataclass(frozen=True, slots=True)
class Installation:
    """How large it is, and where."""

    name: str
    accounts: int
    events: int
    directory: Path
    database: str

    @property
    def url(self) -> str:
        """Where its rows go."""
        return self.database or f"sqlite:///{self.directory / 'data' / 'crownkeep.db'}"

    @property
    def settings(self) -> Mapping[str, str]:
        """What its server is started with."""
        return servers.UNLIMITED | ({"CROWNKEEP_DATABASE": self.database} if self.database else {})


@dataclass(frozen=True, slots=True)
class Running:
    """An installation whose server runs, and administrators of its accounts."""

    server: Server
    signers: Sequence[Signer]
    costs: Costs


def main() -> None:
    """Measure a small and a large installation, print both, and keep the figures in bench/results."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as temporary, ExitStack() as stack:
        directory = options.directory or Path(temporary)
        sizes = {"small": SMALL, "large": options.accounts}
        made = [
            Installation(
                name,
                count,
                options.events * count // options.accounts,
                directory / name,
                f"{options.database}_{name}" if options.database else "",
            )
            for name, count in sizes.items()
        ]
        for each in made:
            _prepare(each)
        running = [stack.enter_context(_running(each)) for each in made]
        for _ in range(ROUNDS):
            for one in running:
                _measure(one)
        for one in running:
            _measure_long_reads(one)
            one.costs["memory afterwards (MiB)"] = one.server.memory_mib()
        found = {each.name: one.costs for each, one in zip(made, running, strict=True)}
    _print(made, found)
    RESULTS.mkdir(exist_ok=True)
    kept = {each.name: {"accounts": each.accounts, "events": each.events, **found[each.name]} for each in made}
    (RESULTS / f"scale{'-postgresql' if options.database else ''}.json").write_text(json.dumps(kept, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a large installation beside a small one.")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--directory", type=Path, help="where installations are made once and kept")
    parser.add_argument("--database", default="", help="a URL to which `_small` and `_large` are added; SQLite unless given")
    return parser.parse_args()


def _prepare(installation: Installation) -> None:
    """Make and fill an installation, unless it was kept, and have its events put into the tree."""
    made = installation.directory / _MADE
    if made.exists():
        return
    installation.directory.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with servers.crownkeep(installation.directory, installation.settings) as server:
        accounts = [server.make_account(f"scale-{number}") for number in range(installation.accounts)]
    filling.fill(installation.url, [each["account_id"] for each in accounts], installation.events)
    print(
        f"  filled {installation.accounts:,} accounts, {installation.events:,} events: {time.monotonic() - began:.0f} s",
        flush=True,
    )
    with servers.crownkeep(installation.directory, installation.settings) as server:
        cost = _sequenced(server, installation.url, installation.events)
    made.write_text(json.dumps({"admins": [each["admin"] for each in accounts], "sequencing": cost}))


def _sequenced(server: Server, url: str, count: int) -> float:
    """Wait until a checkpoint counts every event, and return the microseconds of CPU that each took; a start is among them."""
    database, heard, size = Database(url), time.monotonic(), 0
    while time.monotonic() - heard < _PATIENCE_SECONDS:
        with database.snapshot() as db:
            newest = checkpoints.newest(db)
            if not leaves.has_pending(db) and newest is not None and newest.size == leaves.count(db):
                break
            if newest is not None and newest.size != size:
                heard, size = time.monotonic(), newest.size
        time.sleep(1)
    database.close()
    return server.cpu_seconds() / count * 1e6


@contextmanager
def _running(installation: Installation) -> Iterator[Running]:
    kept: dict[str, Any] = json.loads((installation.directory / _MADE).read_text())
    began = time.monotonic()
    with servers.crownkeep(installation.directory, installation.settings) as server:
        costs = {"start to the first answer (s)": time.monotonic() - began, "CPU of the start (s)": server.cpu_seconds()}
        signers = [Signer(each["access_key_id"], each["secret_access_key"], server.port) for each in kept["admins"]]
        before = server.cpu_seconds()
        first = load.once([signers[0].sign("sts", "GetCallerIdentity")], port=server.port, connections=1, seconds=60)
        costs["the first request (ms)"] = first.latencies[0] * 1e3
        costs["CPU of the first request (ms)"] = (server.cpu_seconds() - before) * 1e3
        costs["CPU of putting an event into the tree (us)"] = kept["sequencing"]
        yield Running(server, signers, costs)


def _measure(running: Running) -> None:
    """Measure the CPU of each kind of request once more, and keep the least."""
    signer, seconds = running.signers[0], SECONDS
    names = [f"user-{number * (filling.USERS - 1) // 64:05}" for number in range(64)]
    asked = {
        "GetCallerIdentity": [signer.sign("sts", "GetCallerIdentity")],
        "GetCallerIdentity, each account in turn": [each.sign("sts", "GetCallerIdentity") for each in running.signers],
        "GetUser": [signer.sign("iam", "GetUser", {"UserName": name}) for name in names],
        "GetUser, each account in turn": [each.sign("iam", "GetUser", {"UserName": names[7]}) for each in running.signers],
        "ListUsers (100)": [signer.sign("iam", "ListUsers", {"MaxItems": "100"})],
    }
    for operation, requests in asked.items():
        before = running.server.cpu_seconds()
        measured = load.repeatedly(requests, port=running.server.port, connections=CONNECTIONS, seconds=seconds)
        _keep(running, operation, before, measured)
    for what, attributes in _LOOKED_UP.items():
        request = signer.target("cloudtrail", "CloudTrail_20131101.LookupEvents", {**attributes, "MaxResults": 50})
        before = running.server.cpu_seconds()
        measured = load.once([request] * LOOKS, port=running.server.port, connections=1, seconds=_PATIENCE_SECONDS)
        _keep(running, f"LookupEvents {what}".replace(" :", ":"), before, measured)


def _keep(running: Running, what: str, before: float, measured: load.Measured) -> None:
    if measured.failures or not measured.count:
        raise RuntimeError(f"{what} was refused: {measured.failures[:1]!r}")
    key, used = f"{what}: CPU (us)", (running.server.cpu_seconds() - before) / measured.count * 1e6
    running.costs[key] = min(used, running.costs.get(key, used))


_LOOKED_UP: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "by name": {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}]},
    "by a user's name": {"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "user-00700"}]},
}


def _measure_long_reads(running: Running) -> None:
    """Measure how long each long read takes in one account, asked alone, and the CPU of it."""
    signer = running.signers[0]
    asked = {
        "GenerateCredentialReport": signer.sign("iam", "GenerateCredentialReport"),
        "GetAccountAuthorizationDetails, 1,000": signer.sign("iam", "GetAccountAuthorizationDetails", {"MaxItems": "1000"}),
    }
    for what, request in asked.items():
        before = running.server.cpu_seconds()
        measured = load.once([request], port=running.server.port, connections=1, seconds=_PATIENCE_SECONDS)
        if measured.failures:
            raise RuntimeError(f"{what} was refused: {measured.failures[0]!r}")
        running.costs[f"{what} (s)"] = measured.latencies[0]
        running.costs[f"{what}: CPU (s)"] = running.server.cpu_seconds() - before


def _print(made: Sequence[Installation], found: Mapping[str, Costs]) -> None:
    sizes = [f"{each.name}: {each.accounts:,} accounts of {filling.USERS:,} users, {each.events:,} events" for each in made]
    print("\n" + "; ".join(sizes) + "\n")
    print(f"{'':54}{'small':>10}{'large':>10}{'large to small':>16}")
    for what, figure in found["small"].items():
        larger = found["large"][what]
        digits = 2 if figure < 10 else 0
        print(f"{what:54}{figure:10,.{digits}f}{larger:10,.{digits}f}{larger / figure if figure else 0:15.2f}x")


if __name__ == "__main__":
    main()
