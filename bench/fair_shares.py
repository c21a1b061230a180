"""`make bench-fair-shares`: what one account's requests take while another floods the server, or asks heavy questions of it.

The first account asks 100 times a second over one connection. The other one sends as fast as it is answered, from a process that
gives way to the others: GetUser over 32 connections, then SimulateCustomPolicy with large policies over 8, lists of 1,000 users
over 8, and passwords to be hashed over 8. Each is measured while it spends what it may have at once (ten seconds' worth of its
rate) and afterwards, and is compared with the mean of what was measured alone before and after it: a machine is not the same from
one minute to the next.

The wait inside the server is printed beside what the client saw, with what its event loop computed meanwhile, and how long that
loop was kept from a core by others for each request. On a busy machine only the computing means anything.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from bench import load, servers, watched
from bench.requests import Signer
from bench.servers import Server

PER_SECOND = 100
CALLS = 2_000
"""Of each measurement: the p99 is then the twentieth from the end."""
CALLS_AT_FIRST = 600
SECONDS_TO_SPEND = 6.0
_GIVING_WAY = 10
RESULTS = Path(__file__).parent / "results"


@dataclass(slots=True)
class Seen:
    """One measurement, in milliseconds."""

    name: str
    began: float
    ended: float
    count: int
    p50: float
    p99: float
    without_a_core: float
    """How long the server's event loop was kept waiting for a core, for each request that was measured."""
    inside_p99: float = 0.0
    computed_p99: float = 0.0
    """What the event loop computed while such a request was inside, its own part and others': the same on a busy machine."""


def main() -> None:
    """Measure, print the table, and keep the figures in bench/results."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
        noted = Path(directory) / "watched"
        program = [sys.executable, "-m", "bench.watched"]
        variables = {watched.FILE: str(noted), "PYTHONPATH": str(servers.ROOT)}
        with servers.crownkeep(Path(directory), variables, program=program) as server:
            found = _measured(server)
        times = [tuple(map(float, line.split())) for line in noted.read_text().splitlines()]
    for each in found:
        own = [(took, computed) for at, took, computed in times if each.began <= at <= each.ended]
        each.inside_p99 = _percentile(sorted(took for took, _ in own), 0.99)
        each.computed_p99 = _percentile(sorted(computed for _, computed in own), 0.99)
    _print(found)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fair_shares.json").write_text(json.dumps([asdict(each) for each in found], indent=1))


def _measured(server: Server) -> list[Seen]:
    """Measure alone, beside each flood, and alone again."""
    accounts = [server.make_account(name)["admin"] for name in ("quiet", "loud")]
    quiet, loud = (Signer(answer["access_key_id"], answer["secret_access_key"], server.port) for answer in accounts)
    load.once(loud.create_users(f"user-{number}" for number in range(1_000)), port=server.port, connections=8, seconds=60)
    # Behind the headers that are signed, so that the signature stays what it is.
    asked = [quiet.sign("iam", "GetUser", {"UserName": "admin"}).replace(b"\r\n", b"\r\n%b: 1\r\n" % watched.HEADER, 1)]
    _measure("", asked, server, CALLS_AT_FIRST)
    found = [_measure("alone", asked, server, CALLS)]
    for name, (connections, requests) in _floods(loud).items():
        with _flood(requests, server.port, connections):
            time.sleep(1)
            found.append(_measure(f"{name}, at first", asked, server, CALLS_AT_FIRST))
            time.sleep(SECONDS_TO_SPEND)
            found.append(_measure(name, asked, server, CALLS))
        time.sleep(1)
        found.append(_measure("alone", asked, server, CALLS))
    return found


def _floods(signer: Signer) -> dict[str, tuple[int, list[bytes]]]:
    simulation = {f"ActionNames.member.{number}": f"s3:Action{number}" for number in range(1, 200)}
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::*{number}?*x" for number in range(400)]}
    simulation["PolicyInputList.member.1"] = json.dumps({"Version": "2012-10-17", "Statement": statement})
    simulation |= {f"ResourceArns.member.{number}": f"arn:aws:s3:::{'y' * 200}/{number}" for number in range(1, 6)}
    passwords = [
        signer.sign("iam", "CreateLoginProfile", {"UserName": f"user-{number}", "Password": "correct-Horse-battery-staple-7"})
        for number in range(8)
    ]
    return {
        "beside 32 connections of GetUser": (32, [signer.sign("iam", "GetUser", {"UserName": "admin"})]),
        "beside 8 connections of large simulations": (8, [signer.sign("iam", "SimulateCustomPolicy", simulation)]),
        "beside 8 connections of lists of 1,000 users": (8, [signer.sign("iam", "ListUsers", {"MaxItems": "1000"})]),
        "beside 8 connections of passwords to hash": (8, passwords),
    }


@contextmanager
def _flood(requests: Sequence[bytes], port: int, connections: int) -> Iterator[None]:
    seconds = SECONDS_TO_SPEND + (CALLS + CALLS_AT_FIRST) / PER_SECOND + 10
    process = get_context("spawn").Process(target=_send, args=(list(requests), port, connections, seconds))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _send(requests: Sequence[bytes], port: int, connections: int, seconds: float) -> None:
    # Three processes may have to share two cores. What is measured is the server, and not which of the clients comes first.
    os.nice(_GIVING_WAY)
    load.repeatedly(requests, port=port, connections=connections, seconds=seconds)


def _measure(name: str, requests: Sequence[bytes], server: Server, calls: int) -> Seen:
    began, waited = time.perf_counter(), server.seconds_without_a_core()
    took = sorted(asyncio.run(_ask(requests, server.port, calls)))
    waited = server.seconds_without_a_core() - waited
    without = waited * 1e3 / len(took)
    return Seen(name, began, time.perf_counter(), len(took), _percentile(took, 0.5), _percentile(took, 0.99), without)


def _percentile(ordered: Sequence[float], part: float) -> float:
    return ordered[int(len(ordered) * part)] * 1e3 if ordered else 0.0


async def _ask(requests: Sequence[bytes], port: int, calls: int) -> list[float]:
    """Ask at a steady rate; a late answer delays no later question's clock."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    began = time.perf_counter()
    for number in range(calls):
        due = began + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a quiet account was refused: {head!r}")
        await reader.readexactly(_length(head))
        took.append(time.perf_counter() - due)
    writer.close()
    return took


def _length(head: bytes) -> int:
    lines = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(next(lines).split(b":")[1])


def _print(found: Sequence[Seen]) -> None:
    print(f"{'GetUser of the quiet account, in ms':52}{'count':>6}{'p50':>8}{'p99':>8}{'to alone':>10}", end="")
    print(f"{'inside, p99':>13}{'computed, p99':>15}{'no core':>9}")
    for number, each in enumerate(found):
        before = next(other for other in reversed(found[: number + 1]) if other.name == "alone")
        after = next((other for other in found[number:] if other.name == "alone"), before)
        alone = (before.p99 + after.p99) / 2
        print(f"{each.name:52}{each.count:6}{each.p50:8.1f}{each.p99:8.1f}{each.p99 / alone:9.1f}x", end="")
        print(f"{each.inside_p99:13.1f}{each.computed_p99:15.2f}{each.without_a_core:9.2f}")


if __name__ == "__main__":
    main()
