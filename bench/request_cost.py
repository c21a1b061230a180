"""`make bench-request`: the CPU of one signed request in this process, without sockets: steadier than a server on a busy machine.

Bytes go into the server's own HTTP protocol, 32 requests in each turn of the event loop, and answers come out of it into nothing.
Beside each operation stands what the bare answer of `bench.bare` takes on uvicorn's protocol, fed in the same way. What sockets
cost is in neither. Of many short samples the least counts: what neighbours take makes a sample dearer and never cheaper.

`make bench-request ARGS="--tree"` measures with the trail's tree and without it, in turns: what leaves, places in the tree
and checkpoints cost a read and a write; the last two come behind the answer. `--profile GetUser` prints where the time goes.
`--database postgresql://...` runs on that, which must be empty.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import uvloop
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bench import bare
from bench.requests import Signer
from crownkeep import settings as all_settings
from crownkeep.app import create_app
from crownkeep.gateway.asgi import Server
from crownkeep.gateway.protocol import EdgeProtocol
from crownkeep.gateway.shares import SECONDS_BESIDE
from crownkeep.storage.trail import leaves
from crownkeep.trail.sequencer import Sequencer

CONNECTIONS = 32
TURNS = 6
USERS = 1_000
WARMING = 2
"""Samples that don't count."""
UNDONE = ("CreateUser", "DeleteUser")
"""What must be undone before it can be done again, and by what."""
OPERATIONS = ("GetCallerIdentity", "GetUser", "ListUsers", "AssumeRole", "CreateUser")

TREE_OPERATIONS = ("GetCallerIdentity", "GetUser", "CreateUser")
TREE_SAMPLES = 10
"""Samples of each kind before the tree follows: 1,920 requests, about what a busy server answers between two checkpoints."""

_PORT = 4747
_PEER = ("127.0.0.1", 50_000)
_PROFILED = 10
_SHOWN = 45

Answers = list[bytes]
Round = Callable[[Sequence[bytes]], Any]
Signed = Callable[[], dict[str, Sequence[bytes]]]


class _Pipe(asyncio.Transport):
    """The transport of a connection whose other side is this benchmark."""

    def __init__(self, answered: Callable[[bytes], None]) -> None:
        super().__init__({"peername": _PEER, "sockname": ("127.0.0.1", _PORT)})
        self._answered = answered
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take a part of an answer; uvicorn writes the head apart."""
        if bytes(data[:5]) == b"HTTP/" and b"\r\n\r\n" not in bytes(data[:-4]):
            self._head = bytes(data)
            return
        self._answered(self._head + bytes(data))
        self._head = b""

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Stay open, though uvicorn's protocol has waited long for the next request."""

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class _Connections:
    """Connections that each send a request when all have been answered."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._left = 0
        self._done: asyncio.Future[None] | None = None
        self.answers: Answers = []
        self._open = [make() for _ in range(CONNECTIONS)]
        for each in self._open:
            each.connection_made(_Pipe(self._answered))

    async def ask(self, requests: Sequence[bytes]) -> Answers:
        """Send a request by each connection, and return the answers."""
        self.answers = []
        self._left = len(requests)
        self._done = asyncio.get_running_loop().create_future()
        for connection, request in zip(self._open, requests, strict=False):
            connection.data_received(request)
        await self._done
        return self.answers

    def _answered(self, answer: bytes) -> None:
        self.answers.append(answer)
        self._left -= 1
        if self._left == 0 and self._done is not None:
            self._done.set_result(None)


def main() -> None:
    """Measure each operation, or profile one, and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
        variables = {"data": directory, "requests_per_second_of_account": 0, "requests_per_second_of_principal": 0}
        if options.database:
            variables["database"] = options.database
        chosen = all_settings.Settings(**variables)  # type: ignore[arg-type]  # of several types
        uvloop.run(_run(create_app(chosen), Path(directory), options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what a signed request costs in CPU.")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--only", default=",".join(OPERATIONS))
    parser.add_argument("--profile", choices=OPERATIONS, help="print where this operation's time goes")
    parser.add_argument("--tree", action="store_true", help="measure with the trail's tree and without, in turns")
    parser.add_argument("--database", default="", help="an empty PostgreSQL database; SQLite unless given")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


async def _run(app: Server[Any], directory: Path, options: argparse.Namespace) -> None:
    into: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    state: dict[str, Any] = {}
    life = asyncio.ensure_future(app({"type": "lifespan", "state": state}, into.get, cast(Any, out.put)))
    into.put_nowait({"type": "lifespan.startup"})
    await out.get()
    ours = _Connections(_protocol(EdgeProtocol, app, state))
    beside = _Connections(_protocol(HttpToolsProtocol, bare.answer, {}))
    signed = await _prepared(ours, directory, options.users)
    made = signed()
    # Until then the account that the operator made counts as asking beside the operator, and has smaller turns.
    await asyncio.sleep(SECONDS_BESIDE)
    gc.collect()
    gc.freeze()
    if options.profile:
        await _profile(ours, made, options.profile)
    elif options.tree and app._house is not None:
        await _measure_tree(ours, signed, Tree(app._house.sequencer), options.samples)
    else:
        await _measure(ours, beside, made, options)
    into.put_nowait({"type": "lifespan.shutdown"})
    await life


def _protocol(kind: type[HttpToolsProtocol], app: Any, state: dict[str, Any]) -> Callable[[], HttpToolsProtocol]:
    config = Config(app, log_config=None, access_log=False, server_header=False, lifespan="off", proxy_headers=False)
    config.load()
    shared = ServerState()
    shared.default_headers = [(b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")]
    return lambda: kind(config, shared, state, asyncio.get_running_loop())


async def _prepared(ours: _Connections, directory: Path, users: int) -> Signed:
    """Make what is asked about, and return what signs the requests, which are good for five minutes."""
    account = await _account(ours, (directory / "operator.token").read_text().strip())
    signer = Signer(account["admin"]["access_key_id"], account["admin"]["secret_access_key"], _PORT)
    role = signer.create_role("bench", account_id=account["account_id"])
    for batch in _batches([role, *signer.create_users(f"user-{number:05}" for number in range(users))]):
        _require_success(await ours.ask(batch))
    return lambda: _signed(signer, account["account_id"], users)


def _signed(signer: Signer, account_id: str, users: int) -> dict[str, Sequence[bytes]]:
    """Sign every request, for five minutes."""
    wanted = {"RoleArn": f"arn:aws:iam::{account_id}:role/bench", "RoleSessionName": "bench"}
    names = [f"user-{number * users // 64:05}" for number in range(64)]
    made = [f"made-{number:05}" for number in range(CONNECTIONS * TURNS)]
    return {
        "GetCallerIdentity": [signer.sign("sts", "GetCallerIdentity")],
        "GetUser": [signer.sign("iam", "GetUser", {"UserName": name}) for name in names],
        "ListUsers": [signer.sign("iam", "ListUsers", {"MaxItems": "100"})],
        "AssumeRole": [signer.sign("sts", "AssumeRole", wanted)],
        "CreateUser": signer.create_users(made),
        "DeleteUser": [signer.sign("iam", "DeleteUser", {"UserName": name}) for name in made],
    }


async def _account(ours: _Connections, token: str) -> dict[str, Any]:
    body = json.dumps({"email": "root@bench.example", "name": "bench", "admin_user": "admin"}).encode()
    head = f"POST /operator/v1/accounts HTTP/1.1\r\nHost: 127.0.0.1:{_PORT}\r\nAuthorization: Bearer {token}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    (answer,) = await ours.ask([request])
    reply: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return reply


def _batches(requests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for first in range(0, len(requests), CONNECTIONS):
        yield requests[first : first + CONNECTIONS]


def _require_success(answers: Answers) -> None:
    failed = next((answer for answer in answers if answer[9:12] != b"200"), None)
    if failed is not None:
        raise RuntimeError(f"a request failed: {failed!r}")


async def _measure(
    ours: _Connections, beside: _Connections, made: dict[str, Sequence[bytes]], options: argparse.Namespace
) -> None:
    bare_request = Signer("AKIAIOSFODNN7EXAMPLE", "secret", _PORT).sign("sts", "GetCallerIdentity")
    least: dict[str, float] = {}
    for number in range(options.samples + WARMING):
        for name in ("bare", *options.only.split(",")):
            used = await _sample(beside, [bare_request]) if name == "bare" else await _sample(ours, made[name])
            if name == UNDONE[0]:
                await _sample(ours, made[UNDONE[1]])
            if number >= WARMING:
                least[name] = min(used, least.get(name, used))
    if options.json:
        sys.stdout.write(json.dumps(least) + "\n")
        return
    for name, used in least.items():
        sys.stdout.write(f"{name:20}{used:10.1f} us {used / least['bare']:8.1f} times bare\n")


class Tree:
    """The trail's tree of this process, which only a benchmark can do without."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._works = leaves.add_all, leaves.make_as_kept, sequencer.catch_up
        self._sequencer.catch_up = _idle  # type: ignore[method-assign]

    def switch(self, *, on: bool) -> None:
        """Let events have leaves, or not."""
        leaves.add_all = self._works[0] if on else _nothing  # type: ignore[assignment]
        leaves.make_as_kept = self._works[1] if on else _no_leaf

    async def pair(self, ours: _Connections, source: Sequence[bytes], undo: Sequence[bytes], *, is_first: bool) -> _Pair:
        """Measure many requests with leaves beside as many without, and what then follows behind the answers."""
        taken: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(TREE_SAMPLES):
            # Whichever comes first finds the processor as the other left it: so each does in its turn.
            for on in (is_first, not is_first):
                self.switch(on=on)
                taken[on].append(await _sample(ours, source))
                self.switch(on=False)
                if undo:
                    await _sample(ours, undo)
        began = time.process_time()
        await self._works[2]()
        after = (time.process_time() - began) / (TREE_SAMPLES * CONNECTIONS * TURNS) * 1e6
        return _Pair(taken[True], taken[False], after)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Microseconds that a request took in each sample with leaves and without, and its part of what followed."""

    on: list[float]
    off: list[float]
    after: float


def _nothing(db: Any, new: Any) -> None:
    pass


def _no_leaf(row: Any, event_id: bytes, happened_at: int, record: bytes) -> bytes:
    return b""


async def _idle() -> bool:
    return False


async def _measure_tree(ours: _Connections, signed: Signed, tree: Tree, samples: int) -> None:
    for name in TREE_OPERATIONS:
        pairs = []
        for number in range(samples + WARMING):
            made = signed()
            undo = made[UNDONE[1]] if name == UNDONE[0] else ()
            found = await tree.pair(ours, made[name], undo, is_first=number % 2 == 0)
            if number >= WARMING:
                pairs.append(found)
        on, off = min(min(each.on) for each in pairs), min(min(each.off) for each in pairs)
        after = min(each.after for each in pairs)
        middle = statistics.median((statistics.fmean(each.on) + each.after) / statistics.fmean(each.off) for each in pairs)
        sys.stdout.write(
            f"{name:20}{off:10.1f} us without the tree,{on - off:+6.1f} for leaves,{after:+6.1f} behind the answer:"
            f" {(on + after) / off - 1:+.1%} of the least, {middle - 1:+.1%} in the median of {len(pairs)} pairs\n"
        )


async def _sample(connections: _Connections, source: Sequence[bytes]) -> float:
    """Return the microseconds of CPU that each request took, in all threads."""
    requests = list(islice(cycle(source), CONNECTIONS * TURNS))
    began = time.process_time()
    every = [await connections.ask(batch) for batch in _batches(requests)]
    used = time.process_time() - began
    for answers in every:
        _require_success(answers)
    return used / len(requests) * 1e6


async def _profile(ours: _Connections, made: dict[str, Sequence[bytes]], operation: str) -> None:
    profile = cProfile.Profile()
    for number in range(_PROFILED):
        if number:
            profile.enable()
        await _sample(ours, made[operation])
        profile.disable()
        if operation == UNDONE[0]:
            await _sample(ours, made[UNDONE[1]])
    pstats.Stats(profile).sort_stats("tottime").print_stats(_SHOWN)


if __name__ == "__main__":
    main()
