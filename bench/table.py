"""The table that a benchmark prints: figures, their ratios to a bare answer, what was aimed at, and what a release before had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SIZES = (10, 1_000, 10_000)
OPERATIONS = (
    "GetCallerIdentity",
    "GetUser",
    "GetUser denied",
    "GetUser of 300 accounts",
    "ListUsers",
    "AssumeRole",
    "GetAccountAuthorizationDetails",
    "CreateUser",
)

# What is measured with some numbers of users only: the whole account in one answer is 1,000 users at most.
_SIZES_OF = {
    "GetUser denied": (1_000,),
    "GetUser of 300 accounts": (1_000,),
    "AssumeRole": (1_000,),
    "GetAccountAuthorizationDetails": (1_000,),
}

# A page of ListUsers holds 100 users: with ten, the answer itself is shorter.
_GROWS_FROM = {"ListUsers": 1_000}

AIMS: Mapping[str, float] = {
    "GetCallerIdentity": 4.8,
    "GetUser": 5.3,
    "GetUser denied": 5.3,
    "GetUser of 300 accounts": 5.8,
    "ListUsers": 12.0,
    "AssumeRole": 12.0,
    "CreateUser": 11.0,
}
"""CPU of a request as so many bare answers."""

_LEGEND = """
p50 and p99 in ms with 32 connections, `alone` the p50 in ms of a single connection; `CPU` in us of the server per request, `one`
with one connection; `to bare` ours as so many bare answers of the same run, and `aim` what that is to be; `before` the same of
release {}, with its CPU; `grows` ours to ours with 10 users (a full page of ListUsers: with 1,000); `moto/ours` moto's CPU to
ours; `gen.` the load generator's share of a core (near 100% it is the bottleneck). CPU and ratios are the least of {} rounds,
bare answers among them."""


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. Latencies in milliseconds, CPU in microseconds per request."""

    server: str
    operation: str
    users: int
    per_second: float
    p50: float
    p99: float
    p50_alone: float
    cpu: float
    generator: float
    """The generator's share of a core."""
    cpu_alone: float = 0.0
    """The same CPU with one connection alone."""


Found = Mapping[tuple[str, str, int], Result]


def sizes_of(operation: str) -> tuple[int, ...]:
    """Return with how many users an operation is measured."""
    return _SIZES_OF.get(operation, SIZES)


def by_name(results: Sequence[Result]) -> Found:
    """Return results by server, operation and number of users."""
    return {(result.server, result.operation, result.users): result for result in results}


def render(results: Sequence[Result], before: Sequence[Result], *, release: str, rounds: int) -> str:
    """Return the table: ours, as ratios to the bare server's, beside those of a release before and moto's."""
    found, earlier = by_name(results), by_name(before)
    ceiling = found["bare", "GetCallerIdentity", 0]
    head = (
        f"{'':31}{'users':>7} |{'req/s':>7}{'p50':>8}{'p99':>8}{'alone':>7}{'CPU':>7}{'one':>7}{'gen.':>6} |"
        f"{'to bare':>8}{'aim':>7} |"
        f"{'before':>8}{'CPU':>8} |{'grows':>7}{'moto/ours':>11}"
    )
    lines = ["", head, "-" * len(head)]
    for operation in OPERATIONS:
        for users in sizes_of(operation):
            ours = found.get(("crownkeep", operation, users))
            if ours is not None:
                lines.append(
                    f"{operation:31}{users:7,} |{_figures(ours)} |{ours.cpu / ceiling.cpu:7.1f}x{_aim(operation):>7} |"
                    f"{_before(earlier, operation, users)} |{_grows(found, ours)}{_to_moto(found, ours)}"
                )
    lines.append(f"{'a bare answer':31}{'':7} |{_figures(ceiling)} |")
    return "\n".join([*lines, _LEGEND.format(release, rounds)])


def _figures(result: Result) -> str:
    return (
        f"{result.per_second:7,.0f}{result.p50:8.2f}{result.p99:8.2f}{result.p50_alone:7.2f}"
        f"{result.cpu:7,.0f}{result.cpu_alone:7,.0f}{result.generator:6.0%}"
    )


def _aim(operation: str) -> str:
    return f"{AIMS[operation]:.1f}x" if operation in AIMS else ""


def _before(earlier: Found, operation: str, users: int) -> str:
    theirs, ceiling = earlier.get(("crownkeep", operation, users)), earlier.get(("bare", "GetCallerIdentity", 0))
    return f"{'':16}" if theirs is None or ceiling is None else f"{theirs.cpu / ceiling.cpu:7.1f}x{theirs.cpu:8,.0f}"


def _grows(found: Found, ours: Result) -> str:
    sizes = sizes_of(ours.operation)
    fewest = found.get(("crownkeep", ours.operation, _GROWS_FROM.get(ours.operation, sizes[0])))
    return f"{ours.cpu / fewest.cpu:6.2f}x" if fewest is not None and len(sizes) > 1 else f"{'':7}"


def _to_moto(found: Found, ours: Result) -> str:
    theirs = found.get(("moto", ours.operation, ours.users))
    return "" if theirs is None else f"{theirs.cpu / ours.cpu:10,.1f}x"
