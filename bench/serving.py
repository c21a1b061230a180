"""`make bench`: what a signed request costs at 10, 1,000 and 10,000 users, as so many bare answers, and beside moto's server.

Taking on a role, a refusal, 300 accounts in turn, and the whole account in one answer (GetAccountAuthorizationDetails) are
measured with 1,000 users. Then what a start takes, what an idle server holds, and what two workers cost.

Requests are signed beforehand, sent over loopback by 32 connections in a closed loop, and bounded in count and time. Bare answers
(of an ASGI function on the same uvicorn) are measured between ours, so that both meet the same neighbours; of several rounds the
least CPU counts. An account holds 5,000 users at most (AWS's quota), so 10,000 are spread over four, and the one that is measured
holds a quarter of them.

`make bench ARGS="--parts requests --users 10,1000 --only GetUser,ListUsers --rounds 5"` measures a part of it, `--parts moto` and
`--parts start` the others; `--database postgresql://...` measures on that, which must be empty. moto is not asked beyond 1,000
users, where one of its answers takes a second.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench import load, servers, starting, table
from bench.requests import Signer
from bench.servers import Server
from bench.starting import Started
from bench.table import OPERATIONS, SIZES, Result

CONNECTIONS = 32
SECONDS = 1.0
SECONDS_ALONE = 0.5
MOST_CREATED = 600
MOST_OF_MOTO = 1_000
PARTS = ("requests", "moto", "start")
MOST_IN_ONE_ACCOUNT = 2_500
ACCOUNTS = 300
RESULTS = Path(__file__).parent / "results"
BEFORE = "0.1.0"
"""The release whose figures are printed beside: `results/release-VERSION.json`."""

_BEGAN = time.monotonic()
_DISTINCT = 64
_ROLE = "bench"
_MOTOS_ACCOUNT = "123456789012"

Requests = Sequence[bytes]


def main() -> None:
    """Measure, print the table, and keep the figures in bench/results."""
    options = _options()
    results: list[Result] = []
    started: list[Started] = []
    with tempfile.TemporaryDirectory(prefix="crownkeep-bench-") as directory, servers.bare(Path(directory)) as bare:
        if "requests" in options.parts:
            for users in options.users[:1] if options.database else options.users:
                results += _of_crownkeep(Path(directory), bare, users, options)
        if "moto" in options.parts:
            for users in options.users:
                results += _of_moto(Path(directory), users, options) if users <= MOST_OF_MOTO else []
        if "start" in options.parts and not options.database:
            _say("starts, idle memory and two workers")
            started = starting.measure(Path(directory))
    results = _least(results)
    if "requests" in options.parts:
        print(table.render(results, before(BEFORE), release=BEFORE, rounds=options.rounds))
    print("\n".join(["", *(f"{each.what:60}{each.figure:>10}   aim {each.aim}" for each in started)]))
    if options.is_whole:
        RESULTS.mkdir(exist_ok=True)
        kept = {"results": [asdict(result) for result in results], "started": [asdict(each) for each in started]}
        (RESULTS / f"serving{'-postgresql' if options.database else ''}.json").write_text(json.dumps(kept, indent=1))


def _of_crownkeep(directory: Path, bare: Server, users: int, options: argparse.Namespace) -> list[Result]:
    own = directory / f"crownkeep-{users}"
    own.mkdir()
    _say(f"crownkeep with {users:,} users")
    with servers.crownkeep(own, servers.UNLIMITED | _database(options.database)) as server:
        results = _crownkeep(server, bare, users, options)
        _say(f"  it holds {server.memory_mib():.0f} MiB")
    return results


def _of_moto(directory: Path, users: int, options: argparse.Namespace) -> list[Result]:
    own = directory / f"moto-{users}"
    own.mkdir()
    _say(f"moto with {users:,} users")
    with servers.moto(own) as server:
        results = _moto(server, users, options)
        _say(f"  it holds {server.memory_mib():.0f} MiB")
    return results


def _say(what: str) -> None:
    """Say what is measured now, and how long the whole has taken so far."""
    print(f"{time.monotonic() - _BEGAN:6.0f} s  {what}", flush=True)


def before(release: str) -> list[Result]:
    """Return the figures of a release; none where they are not kept."""
    kept = RESULTS / f"release-{release}.json"
    return [Result(**each) for each in json.loads(kept.read_text())["results"]] if kept.exists() else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what a signed request costs.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", type=_listed, default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--users", type=lambda text: tuple(map(int, _listed(text))), default=SIZES, help="such as 10,1000")
    parser.add_argument("--only", type=_listed, default=OPERATIONS, help="operations, such as GetUser,ListUsers")
    parser.add_argument("--database", default="", help="an empty PostgreSQL database; SQLite unless given")
    options = parser.parse_args()
    options.is_whole = (options.parts, options.users, options.only) == (PARTS, SIZES, OPERATIONS)
    return options


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _database(url: str) -> dict[str, str]:
    return {"CROWNKEEP_DATABASE": url} if url else {}


def _least(results: Sequence[Result]) -> list[Result]:
    """Return of each measurement's rounds the least: what neighbours take from a server makes it look dearer, never cheaper."""
    least: dict[tuple[str, str, int], Result] = {}
    for each in results:
        key = (each.server, each.operation, each.users)
        known = least.get(key, each)
        cpu, alone = min(each.cpu, known.cpu), min(each.cpu_alone or known.cpu_alone, known.cpu_alone or each.cpu_alone)
        faster = each if each.p50 < known.p50 else known
        least[key] = replace(faster, cpu=cpu, cpu_alone=alone)
    return list(least.values())


def _crownkeep(server: Server, bare: Server, users: int, options: argparse.Namespace) -> list[Result]:
    accounts = [server.make_account(f"bench-{number}") for number in range(-(-users // MOST_IN_ONE_ACCOUNT))]
    admins = [answer["admin"] for answer in accounts]
    signers = [Signer(answer["access_key_id"], answer["secret_access_key"], server.port) for answer in admins]
    share = users // len(signers)
    for signer in signers:
        _fill(signer, share)
    made = _requests(signers[0], share, account_id=accounts[0]["account_id"])
    if users == ACCOUNTS_WITH:
        made |= {"GetUser denied": lambda: _denied(signers[0], share), f"GetUser of {ACCOUNTS} accounts": _of_accounts(server)}
    bare_requests = [Signer("AKIAIOSFODNN7EXAMPLE", "secret", bare.port).sign("sts", "GetCallerIdentity")]
    ready = {operation: made[operation]() for operation in _measured(made, users, options)}
    results: list[Result] = []
    for number in range(options.rounds):
        _say(f"  round {number + 1} of {options.rounds}")
        for operation, requests in ready.items():
            results.append(_measure(bare, "GetCallerIdentity", 0, bare_requests))
            fresh = [f"made-{number}-{each:05}" for each in range(MOST_CREATED)] if operation == "CreateUser" else ()
            results.append(_measure(server, operation, users, signers[0].create_users(fresh) or requests))
    return results


ACCOUNTS_WITH = 1_000


def _measured(made: Mapping[str, object], users: int, options: argparse.Namespace) -> list[str]:
    return [each for each in OPERATIONS if each in made and each in options.only and users in table.sizes_of(each)]


def _moto(server: Server, users: int, options: argparse.Namespace) -> list[Result]:
    signer = Signer("AKIAIOSFODNN7EXAMPLE", "secret", server.port)
    _fill(signer, users)
    made = _requests(signer, users, account_id=_MOTOS_ACCOUNT)
    return [_measure(server, operation, users, made[operation]()) for operation in _measured(made, users, options)]


def _fill(signer: Signer, users: int) -> None:
    requests = signer.create_users(f"user-{number:05}" for number in range(users))
    filled = load.once(requests, port=signer.port, connections=8, seconds=300)
    if filled.failures:
        raise RuntimeError(f"users could not be made: {filled.failures[0]!r}")


def _requests(signer: Signer, here: int, *, account_id: str) -> dict[str, Callable[[], Requests]]:
    return {
        "GetCallerIdentity": lambda: [signer.sign("sts", "GetCallerIdentity")],
        "GetUser": lambda: _get_users(signer, here),
        "ListUsers": lambda: [signer.sign("iam", "ListUsers", {"MaxItems": "100"})],
        "AssumeRole": lambda: _assume_role(signer, account_id),
        "GetAccountAuthorizationDetails": lambda: [signer.sign("iam", "GetAccountAuthorizationDetails", {"MaxItems": "1000"})],
        "CreateUser": lambda: signer.create_users(f"made-{number:05}" for number in range(MOST_CREATED)),
    }


def _get_users(signer: Signer, here: int) -> Requests:
    names = [f"user-{number * here // _DISTINCT:05}" for number in range(_DISTINCT)]
    return [signer.sign("iam", "GetUser", {"UserName": name}) for name in names]


def _denied(signer: Signer, here: int) -> Requests:
    """Return the same questions of a user who may ask nothing."""
    answer = load.body_of(signer.sign("iam", "CreateAccessKey", {"UserName": "user-00001"}), port=signer.port)
    key_id, secret = (re.search(f"<{name}>(.*?)</{name}>", answer) for name in ("AccessKeyId", "SecretAccessKey"))
    if key_id is None or secret is None:
        raise RuntimeError(f"no access key was made: {answer}")
    return _get_users(Signer(key_id[1], secret[1], signer.port), here)


def _of_accounts(server: Server) -> Callable[[], Requests]:
    """Return what asks one question in each of many accounts, one after the other."""

    def requests() -> Requests:
        admins = [server.make_account(f"many-{number}")["admin"] for number in range(ACCOUNTS)]
        signers = [Signer(answer["access_key_id"], answer["secret_access_key"], server.port) for answer in admins]
        return [signer.sign("iam", "GetUser", {"UserName": "admin"}) for signer in signers]

    return requests


def _assume_role(signer: Signer, account_id: str) -> Requests:
    made = load.once([signer.create_role(_ROLE, account_id=account_id)], port=signer.port, connections=1, seconds=30)
    if made.failures:
        raise RuntimeError(f"the role could not be made: {made.failures[0]!r}")
    wanted = {"RoleArn": f"arn:aws:iam::{account_id}:role/{_ROLE}", "RoleSessionName": "bench"}
    return [signer.sign("sts", "AssumeRole", wanted)]


def _measure(server: Server, operation: str, users: int, requests: Requests) -> Result:
    # A part for one connection alone, which is also the warming up, the rest for all connections at once.
    if operation == "CreateUser":
        send, early, rest = load.once, requests[: len(requests) // 10], requests[len(requests) // 10 :]
    else:
        send, early, rest = load.repeatedly, requests, requests
    before = server.cpu_seconds()
    alone = send(early, port=server.port, connections=1, seconds=SECONDS_ALONE)
    between = server.cpu_seconds()
    measured = send(rest, port=server.port, connections=CONNECTIONS, seconds=SECONDS)
    used = server.cpu_seconds() - between
    expected = b"403" if operation.endswith("denied") else b"200"
    wrong = [each for each in measured.failures if each[9:12] != expected]
    if wrong or not measured.count or not alone.count:
        raise RuntimeError(f"{server.name} refused {operation}: {wrong[:1]!r}")
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
        cpu_alone=(between - before) / alone.count * 1e6,
    )


if __name__ == "__main__":
    main()
