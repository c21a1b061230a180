"""`make bench-alerts`, second part: from an act of root to the mail that is accepted and the webhook that is received.

A real SMTP server and a real HTTP receiver, in a process of their own, note when each message has arrived. Twenty accounts' root
users act ten times a second; what they do is told by mail and by webhook, each act by itself. First nothing else happens; then
other accounts write 500 times a second. What is aimed at is a p99 below one second.
The floor is what mail and request take without Crownkeep. On a busy machine read the ratios.
"""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from bench import servers
from bench.requests import Signer
from bench.servers import Server

SECONDS = 20.0
ACTS_PER_SECOND = 10
WRITES_PER_SECOND = 500
ACCOUNTS, WRITING_ACCOUNTS, CONNECTIONS = 20, 4, 16
AIM_SECONDS = 1.0
_FLOOR_TIMES = 50
_PATIENCE_SECONDS = 60.0
_RESULTS = Path(__file__).parent / "results" / "alert_delivery.json"

Arrivals = dict[str, list[float]]
"""When messages came, in their order, by the account's address or the path of its webhook."""


def main() -> int:
    """Measure, print the table, keep the figures, and return 1 where the aim is missed."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; milliseconds from an act to what tells of it")
    with _receivers() as (far_end, smtp_port, http_port), tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
        floors = {"mail": _floor(lambda: _mail(smtp_port)), "webhook": _floor(lambda: _post(http_port))}
        far_end.send("forget")
        settings = servers.UNLIMITED | {
            "CROWNKEEP_SMTP_HOST": "127.0.0.1",
            "CROWNKEEP_SMTP_PORT": str(smtp_port),
            "CROWNKEEP_SMTP_SECURITY": "none",
            "CROWNKEEP_MAIL_FROM": "crownkeep@acme.example",
            "CROWNKEEP_ALERT_NETWORKS": "127.0.0.0/8",
        }
        with servers.crownkeep(Path(directory), settings) as server:
            acts = [_watched(server, number, http_port) for number in range(ACCOUNTS)]
            writes = [request for number in range(WRITING_ACCOUNTS) for request in _writes(server, number)]
            found = {
                title: _round(server, acts, writes if rate else [], rate, far_end)
                for title, rate in (("nothing else", 0), (f"{WRITES_PER_SECOND} writes/s", WRITES_PER_SECOND))
            }
    missed = _print(found, floors)
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps({"floors": floors, **found}, indent=1))
    return int(missed)


def _watched(server: Server, number: int, http_port: int) -> tuple[str, bytes]:
    """Make an account that a webhook hears of, and return its name with a request of its root user."""
    name = f"watched-{number}"
    made = server.make_account(name, root_access_key=True)
    target = f"http://127.0.0.1:{http_port}/{name}"
    server.operator("POST", f"/accounts/{made['account_id']}/alerts/receivers", {"channel": "webhook", "target": target})
    key = made["root"]
    return name, Signer(key["access_key_id"], key["secret_access_key"], server.port).sign("iam", "GetAccountSummary")


def _writes(server: Server, number: int) -> list[bytes]:
    key = server.make_account(f"writing-{number}")["admin"]
    signer = Signer(key["access_key_id"], key["secret_access_key"], server.port)
    tags = {"UserName": "admin", "Tags.member.1.Key": "seen"}
    return [signer.sign("iam", "TagUser", tags | {"Tags.member.1.Value": str(value)}) for value in range(8)]


def _round(
    server: Server, acts: Sequence[tuple[str, bytes]], writes: Sequence[bytes], rate: int, far_end: Connection
) -> dict[str, Any]:
    """Act and write for a while, and return how long each act took to be told."""
    far_end.send("forget")
    acted, written = asyncio.run(_do(server.port, acts, writes, rate))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    expected = {way: sum(map(len, acted.values())) for way in ("mail", "webhook")}
    while True:
        far_end.send("tell")
        came: dict[str, Arrivals] = far_end.recv()
        counts = {way: sum(map(len, came[way].values())) for way in expected}
        if counts == expected:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"of {expected} messages {counts} came")
        time.sleep(0.2)
    took = {
        way: sorted(
            (end - began) * 1000 for name, moments in acted.items() for began, end in zip(moments, came[way][name], strict=True)
        )
        for way in expected
    }
    figures = {way: {"p50": _part(each, 0.5), "p99": _part(each, 0.99), "most": each[-1]} for way, each in took.items()}
    return {"acts": expected["mail"], "writes_per_second": written / SECONDS, **figures}


async def _do(port: int, acts: Sequence[tuple[str, bytes]], writes: Sequence[bytes], rate: int) -> tuple[Arrivals, int]:
    acted: Arrivals = defaultdict(list)
    senders = [_send(port, writes, rate / CONNECTIONS) for each in range(CONNECTIONS) if rate]
    counts = await asyncio.gather(_act(port, acts, acted), *senders)
    return acted, sum(counts[1:])


async def _act(port: int, acts: Sequence[tuple[str, bytes]], acted: Arrivals) -> int:
    """Let the accounts' root users act in turn."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    for number in range(int(SECONDS * ACTS_PER_SECOND)):
        await asyncio.sleep(max(0.0, began + number / ACTS_PER_SECOND - time.monotonic()))
        name, request = acts[number % len(acts)]
        acted[name].append(time.monotonic())
        await _ask(reader, writer, request)
    writer.close()
    return 0


async def _send(port: int, requests: Sequence[bytes], per_second: float) -> int:
    """Send over one connection at a steady rate, and return how many were answered in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began, count = time.monotonic(), 0
    while time.monotonic() < began + SECONDS:
        await asyncio.sleep(max(0.0, began + count / per_second - time.monotonic()))
        await _ask(reader, writer, requests[count % len(requests)])
        count += 1
    writer.close()
    return count


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"a request was refused: {head!r}")
    lines = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(next(lines).split(b":")[1]))


@contextmanager
def _receivers() -> Iterator[tuple[Connection, int, int]]:
    """Run both receivers in a process, and return the way to it with their ports."""
    context = get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_receive, args=(far,), daemon=True)
    process.start()
    smtp_port, http_port = near.recv()
    try:
        yield near, smtp_port, http_port
    finally:
        process.terminate()
        process.join()


class _Mail:
    """The handler of the SMTP server: the local parts of addresses are `root`, their domains begin with the account's name."""

    def __init__(self, came: Arrivals) -> None:
        self._came = came

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self._came[envelope.rcpt_tos[0].partition("@")[2].partition(".")[0]].append(time.monotonic())
        return "250 OK"


def _receive(near: Connection) -> None:
    asyncio.run(_serve(near))


async def _serve(near: Connection) -> None:
    came: dict[str, Arrivals] = {"mail": defaultdict(list), "webhook": defaultdict(list)}

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(next(lines).split(b":")[1]))
        came["webhook"][head.split(b" ")[1].decode().removeprefix("/")].append(time.monotonic())
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    mail = Controller(_Mail(came["mail"]), hostname="127.0.0.1", port=0)
    mail.port = servers.free_port()
    mail.start()
    web = await asyncio.start_server(take, "127.0.0.1", 0)
    near.send((mail.port, web.sockets[0].getsockname()[1]))
    loop = asyncio.get_running_loop()
    while True:
        match await loop.run_in_executor(None, near.recv):
            case "forget":
                for each in came.values():
                    each.clear()
            case _:
                near.send({way: {name: list(moments) for name, moments in each.items()} for way, each in came.items()})


def _floor(work: Any) -> float:
    """Return the median of how long something takes, in milliseconds."""
    took = []
    for _ in range(_FLOOR_TIMES):
        began = time.monotonic()
        work()
        took.append((time.monotonic() - began) * 1000)
    return sorted(took)[_FLOOR_TIMES // 2]


def _mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("crownkeep@acme.example", ["root@floor.example"], b"Subject: floor\r\n\r\nfloor\r\n")


def _post(port: int) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/floor", data=b"{}", timeout=10).close()


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _print(found: dict[str, dict[str, Any]], floors: dict[str, float]) -> bool:
    """Print a row for each way and round, and tell whether one missed the aim."""
    print(f"{'beside':18}{'way':10}{'acts':>6}{'writes/s':>10}{'floor':>8}{'p50':>8}{'to floor':>10}{'p99':>8}{'most':>8}")
    is_missed = False
    for title, each in found.items():
        for way, floor in floors.items():
            took = each[way]
            is_missed = is_missed or took["p99"] >= AIM_SECONDS * 1000
            print(
                f"{title:18}{way:10}{each['acts']:6}{each['writes_per_second']:10.0f}{floor:8.1f}{took['p50']:8.1f}"
                f"{took['p50'] / floor:9.1f}x{took['p99']:8.1f}{took['most']:8.1f}"
            )
    return is_missed


if __name__ == "__main__":
    sys.exit(main())
