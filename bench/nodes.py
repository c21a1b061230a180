"""`make bench-nodes`: four nodes on one PostgreSQL beside one: CPU of the nodes and of the database for each request.

From these follows how many requests a second fill a core of either. Then the same writes are made one after the other without and
with a synchronous standby, which here is on the same machine: what the way to another one takes comes on top.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from shared.postgresql import Cluster

from bench import load, servers
from bench.requests import Signer
from bench.servers import Server

NODES = 4
CONNECTIONS = 32
SECONDS = 1.5
CREATED = 320
ALONE = 60
"""Writes of one connection, one after the other."""
RESULTS = Path(__file__).parent / "results"

_fresh = count()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request took, in microseconds: of all nodes' CPU, of the database's, and of time for whoever waits for it."""

    nodes: float
    database: float
    median: float


def main() -> None:
    """Measure, print, and keep the figures in bench/results."""
    parser = argparse.ArgumentParser(description="Measure four nodes on one PostgreSQL.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory, _cluster() as cluster, ExitStack() as stack:
        nodes = list(_nodes(Path(directory), cluster.database(), stack))
        admin = nodes[0].make_account("measured")["admin"]
        signers = [Signer(admin["access_key_id"], admin["secret_access_key"], node.port) for node in nodes]
        for _ in range(rounds):
            for number in (1, NODES):
                asked, by = nodes[:number], signers[:number]
                _keep(found, f"GetUser, {number} of {NODES} nodes", _measured(cluster, nodes, asked, by, _reads))
                _keep(found, f"CreateUser, {number} of {NODES} nodes", _measured(cluster, nodes, asked, by, _writes))
            _keep(found, "CreateUser, one by one", _alone(cluster, nodes, signers[0]))
        with _standby(cluster):
            for _ in range(rounds):
                _keep(found, "CreateUser, one by one, with a synchronous standby", _alone(cluster, nodes, signers[0]))
    _print(found)
    RESULTS.mkdir(exist_ok=True)
    kept = {what: {"nodes": cost.nodes, "database": cost.database, "median": cost.median} for what, cost in found.items()}
    (RESULTS / "nodes.json").write_text(json.dumps(kept, indent=1))


@contextmanager
def _cluster(copy_of: Cluster | None = None) -> Iterator[Cluster]:
    cluster = Cluster(copy_of=copy_of)
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def _standby(primary: Cluster) -> Iterator[None]:
    """Have every commit wait for a standby that follows the primary."""
    with _cluster(primary):
        primary.run_sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        primary.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
        yield
        # Without its standby no commit would end any more, nor any node.
        primary.run_sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")


def _nodes(directory: Path, database: str, stack: ExitStack) -> Iterator[Server]:
    """Start the nodes of one installation: one data directory and one database for all."""
    shared = {"CROWNKEEP_DATA": str(directory / "0" / "data"), "CROWNKEEP_DATABASE": database}
    for number in range(NODES):
        own = directory / str(number)
        own.mkdir()
        yield stack.enter_context(servers.crownkeep(own, servers.UNLIMITED | shared))


def _measured(
    cluster: Cluster,
    nodes: Sequence[Server],
    asked: Sequence[Server],
    signers: Sequence[Signer],
    ask: Callable[[Signer, int, int], load.Measured],
) -> Cost:
    """Ask some nodes at the same moment, by so many connections in all."""
    share = CONNECTIONS // len(asked)
    before = _used(nodes), cluster.cpu_seconds()
    with ThreadPoolExecutor(len(asked)) as pool:
        measured = list(pool.map(lambda signer: ask(signer, share, CREATED // len(asked)), signers))
    return _cost(measured, _used(nodes) - before[0], cluster.cpu_seconds() - before[1])


def _alone(cluster: Cluster, nodes: Sequence[Server], signer: Signer) -> Cost:
    before = _used(nodes), cluster.cpu_seconds()
    measured = _writes(signer, 1, ALONE)
    return _cost([measured], _used(nodes) - before[0], cluster.cpu_seconds() - before[1])


def _used(nodes: Sequence[Server]) -> float:
    return sum(node.cpu_seconds() for node in nodes)


def _reads(signer: Signer, connections: int, _: int) -> load.Measured:
    request = signer.sign("iam", "GetUser", {"UserName": "admin"})
    return load.repeatedly([request], port=signer.port, connections=connections, seconds=SECONDS)


def _writes(signer: Signer, connections: int, number: int) -> load.Measured:
    requests = signer.create_users(f"made-{next(_fresh):05}" for _ in range(number))
    return load.once(requests, port=signer.port, connections=connections, seconds=60)


def _cost(measured: Sequence[load.Measured], nodes: float, database: float) -> Cost:
    failures = [each for one in measured for each in one.failures]
    if failures:
        raise RuntimeError(f"a request was refused: {failures[0]!r}")
    number = sum(one.count for one in measured)
    median = min(one.percentile(0.5) for one in measured)
    return Cost(nodes / number * 1e6, database / number * 1e6, median * 1e6)


def _keep(found: dict[str, Cost], what: str, cost: Cost) -> None:
    """Keep of several rounds the least of each figure: what neighbours take makes it larger and never smaller."""
    known = found.get(what, cost)
    least = (min(known.nodes, cost.nodes), min(known.database, cost.database), min(known.median, cost.median))
    found[what] = Cost(*least)


def _print(found: dict[str, Cost]) -> None:
    print(
        f"{'microseconds for each request':52}{'nodes':>9}{'database':>10}{'median':>9}   fills a core of a node, of the database"
    )
    for what, cost in found.items():
        filled = f"{1e6 / cost.nodes:8,.0f}/s {1e6 / cost.database:8,.0f}/s"
        print(f"{what:52}{cost.nodes:9,.0f}{cost.database:10,.0f}{cost.median:9,.0f}   {filled}")


if __name__ == "__main__":
    main()
