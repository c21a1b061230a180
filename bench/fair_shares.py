"""`make bench-fair-shares`: what one account's requests take while another floods the server, or asks heavy questions of it.

The first account asks 40 times a second over one connection. The other one sends as fast as it is answered, from a process of its
own: first GetUser over 32 connections, then SimulateCustomPolicy with large policies over 8, then passwords to be hashed over 8.
Both is measured: while it spends what it may have at once (ten seconds' worth of its rate), and afterwards.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench import load, servers
from bench.requests import Signer

SECONDS = 6.0
SECONDS_TO_SPEND = 8.0
PER_SECOND = 40
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print the table, and keep the figures in bench/results."""
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory, servers.crownkeep(Path(directory)) as server:
        accounts = [server.make_account(name)["admin"] for name in ("quiet", "loud")]
        quiet, loud = (Signer(answer["access_key_id"], answer["secret_access_key"], server.port) for answer in accounts)
        load.once(loud.create_users(f"user-{number}" for number in range(8)), port=server.port, connections=1, seconds=30)
        asked = [quiet.sign("iam", "GetUser", {"UserName": "admin"})]
        _measure(asked, server.port)
        found = {"alone": _measure(asked, server.port)}
        for name, (connections, requests) in _floods(loud).items():
            with _flood(requests, server.port, connections):
                found[f"{name}, at first"] = _measure(asked, server.port)
                time.sleep(SECONDS_TO_SPEND)
                found[name] = _measure(asked, server.port)
            time.sleep(1)
        found["alone again"] = _measure(asked, server.port)
    _print(found)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fair_shares.json").write_text(json.dumps(found, indent=1))


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
        "beside 8 connections of passwords to hash": (8, passwords),
    }


@contextmanager
def _flood(requests: Sequence[bytes], port: int, connections: int) -> Iterator[None]:
    seconds = SECONDS_TO_SPEND + 2 * SECONDS + 5
    process = get_context("spawn").Process(target=_send, args=(list(requests), port, connections, seconds))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _send(requests: Sequence[bytes], port: int, connections: int, seconds: float) -> None:
    load.repeatedly(requests, port=port, connections=connections, seconds=seconds)


def _measure(requests: Sequence[bytes], port: int) -> dict[str, float]:
    took = sorted(asyncio.run(_ask(requests, port)))
    return {"count": len(took), "p50": took[len(took) // 2] * 1e3, "p99": took[int(len(took) * 0.99)] * 1e3}


async def _ask(requests: Sequence[bytes], port: int) -> list[float]:
    """Ask at a steady rate; a late answer delays no later question's clock."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    began = time.perf_counter()
    for number in range(int(SECONDS * PER_SECOND)):
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


def _print(found: dict[str, dict[str, float]]) -> None:
    alone = found["alone"]
    print(f"{'GetUser of the quiet account':56}{'p50':>10}{'p99':>10}{'p99 to alone':>14}")
    for name, each in found.items():
        print(f"{name:56}{each['p50']:8.1f}ms{each['p99']:8.1f}ms{each['p99'] / alone['p99']:13.1f}x")


if __name__ == "__main__":
    main()
