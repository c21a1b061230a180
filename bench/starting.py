"""What a start takes, what an idle server holds, and what two workers cost: what `make bench` says of processes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench import load, servers
from bench.requests import Signer
from bench.servers import Server

STARTS = 5
CONNECTIONS = 32
SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Started:
    """One figure, as it is printed, and what it is to be."""

    what: str
    figure: str
    aim: str


def measure(directory: Path) -> list[Started]:
    """Measure in a directory of its own."""
    own = directory / "starting"
    own.mkdir()
    seconds, cpu, idle = [], [], 0.0
    for _ in range(STARTS):
        began = time.monotonic()
        with servers.crownkeep(own) as server:
            seconds.append(time.monotonic() - began)
            cpu.append(server.cpu_seconds())
            time.sleep(1)
            idle = server.memory_mib()
    (directory / "workers").mkdir()
    one, two, both = _workers(directory / "workers")
    return [
        Started("start to the first answer, the least of five (s)", f"{min(seconds):.2f}", "0.80"),
        Started("CPU of a start, the least of five (s)", f"{min(cpu):.2f}", ""),
        Started("memory of an idle server (MiB)", f"{idle:.0f}", "60"),
        Started("memory of two idle workers, shared pages once (MiB)", f"{both:.0f}", ""),
        Started("CPU per GetUser of two workers to that of one", f"{two / one:.2f}x", "1.15x"),
    ]


def _workers(directory: Path) -> tuple[float, float, float]:
    cost, idle = [], 0.0
    for number in (1, 2):
        own = directory / str(number)
        own.mkdir()
        with servers.crownkeep(own, servers.UNLIMITED | {"CROWNKEEP_WORKERS": str(number)}) as server:
            time.sleep(2)
            idle = server.shared_memory_mib()
            cost.append(min(_cost(server, name) for name in ("first", "second", "third")))
    return cost[0], cost[1], idle


def _cost(server: Server, name: str) -> float:
    answer = server.make_account(name)["admin"]
    signer = Signer(answer["access_key_id"], answer["secret_access_key"], server.port)
    requests = [signer.sign("iam", "GetUser", {"UserName": "admin"})]
    load.repeatedly(requests, port=server.port, connections=CONNECTIONS, seconds=SECONDS / 3)
    before = server.cpu_seconds()
    measured = load.repeatedly(requests, port=server.port, connections=CONNECTIONS, seconds=SECONDS)
    return (server.cpu_seconds() - before) / measured.count * 1e6
