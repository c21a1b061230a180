"""`make bench`: what a signed request costs at 10, 1,000 and 10,000 users, beside moto's server and a bare ASGI answer.

Taking on a role, and the whole account in one answer (GetAccountAuthorizationDetails), are measured with 1,000 users.

Requests are signed beforehand, sent over loopback by 32 connections in a closed loop, and bounded in count and time. An account
holds 5,000 users at most (AWS's quota), so 10,000 are spread over four, and the one that is measured holds a quarter of them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from bench import load, servers, table
from bench.requests import Signer
from bench.servers import Server
from bench.table import OPERATIONS, SIZES, Result

CONNECTIONS = 32
SECONDS = 2.0
SECONDS_ALONE = 0.5
MOST_CREATED = 2_000
MOST_IN_ONE_ACCOUNT = 2_500
RESULTS = Path(__file__).parent / "results"

_DISTINCT = 64
_ROLE = "bench"
_MOTOS_ACCOUNT = "123456789012"


def main() -> None:
    """Measure, print the table, and keep the figures in bench/results."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory:
        for start, measure in ((servers.bare, _bare), (servers.crownkeep_unlimited, _crownkeep), (servers.moto, _moto)):
            for users in SIZES if measure is not _bare else (0,):
                own = Path(directory) / f"{measure.__name__}-{users}"
                own.mkdir()
                with start(own) as server:
                    results += measure(server, users)
                    print(f"  measured {server.name}{f' with {users:,} users' if users else ''}: {server.memory_mib():.0f} MiB")
    print(table.render(results))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "serving.json").write_text(json.dumps([asdict(result) for result in results], indent=1))


def _bare(server: Server, users: int) -> list[Result]:
    requests = [Signer("AKIAIOSFODNN7EXAMPLE", "secret", server.port).sign("sts", "GetCallerIdentity")]
    return [_measure(server, "GetCallerIdentity", users, requests)]


def _crownkeep(server: Server, users: int) -> list[Result]:
    accounts = [server.make_account(f"bench-{number}") for number in range(-(-users // MOST_IN_ONE_ACCOUNT))]
    admins = [told["admin"] for told in accounts]
    signers = [Signer(told["access_key_id"], told["secret_access_key"], server.port) for told in admins]
    share = users // len(signers)
    for signer in signers:
        _fill(signer, share)
    return _operations(server, signers[0], users, share, account_id=accounts[0]["account_id"])


def _moto(server: Server, users: int) -> list[Result]:
    signer = Signer("AKIAIOSFODNN7EXAMPLE", "secret", server.port)
    _fill(signer, users)
    return _operations(server, signer, users, users, account_id=_MOTOS_ACCOUNT)


def _fill(signer: Signer, users: int) -> None:
    requests = signer.create_users(f"user-{number:05}" for number in range(users))
    filled = load.once(requests, port=signer.port, connections=8, seconds=300)
    if filled.failures:
        raise RuntimeError(f"users could not be made: {filled.failures[0]!r}")


def _operations(server: Server, signer: Signer, users: int, here: int, *, account_id: str) -> list[Result]:
    names = [f"user-{number * here // _DISTINCT:05}" for number in range(_DISTINCT)]
    made: dict[str, Callable[[], list[bytes]]] = {
        "GetCallerIdentity": lambda: [signer.sign("sts", "GetCallerIdentity")],
        "GetUser": lambda: [signer.sign("iam", "GetUser", {"UserName": name}) for name in names],
        "ListUsers": lambda: [signer.sign("iam", "ListUsers", {"MaxItems": "100"})],
        "AssumeRole": lambda: _assume_role(signer, account_id),
        "GetAccountAuthorizationDetails": lambda: [signer.sign("iam", "GetAccountAuthorizationDetails", {"MaxItems": "1000"})],
        "CreateUser": lambda: signer.create_users(f"made-{number:05}" for number in range(MOST_CREATED)),
    }
    measured = [operation for operation in OPERATIONS if users in table.sizes_of(operation)]
    return [_measure(server, operation, users, made[operation]()) for operation in measured]


def _assume_role(signer: Signer, account_id: str) -> list[bytes]:
    made = load.once([signer.create_role(_ROLE, account_id=account_id)], port=signer.port, connections=1, seconds=30)
    if made.failures:
        raise RuntimeError(f"the role could not be made: {made.failures[0]!r}")
    wanted = {"RoleArn": f"arn:aws:iam::{account_id}:role/{_ROLE}", "RoleSessionName": "bench"}
    return [signer.sign("sts", "AssumeRole", wanted)]


def _measure(server: Server, operation: str, users: int, requests: Sequence[bytes]) -> Result:
    # A part for one connection alone, which is also the warming up, the rest for all connections at once.
    if operation == "CreateUser":
        send, early, rest = load.once, requests[: len(requests) // 10], requests[len(requests) // 10 :]
    else:
        send, early, rest = load.repeatedly, requests, requests
    alone = send(early, port=server.port, connections=1, seconds=SECONDS_ALONE)
    before = server.cpu_seconds()
    measured = send(rest, port=server.port, connections=CONNECTIONS, seconds=SECONDS)
    used = server.cpu_seconds() - before
    if measured.failures or not measured.count:
        raise RuntimeError(f"{server.name} refused {operation}: {measured.failures[:1]!r}")
    return Result(
        server=server.name,
        operation=operation,
        users=users,
        per_second=measured.per_second,
        p50=measured.percentile(0.5) * 1e3,
        p99=measured.percentile(0.99) * 1e3,
        p50_alone=alone.percentile(0.5) * 1e3,
        cpu=used / measured.count * 1e6,
        generator=measured.generator_share,
    )


if __name__ == "__main__":
    main()
