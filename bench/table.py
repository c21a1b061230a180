"""The table that a benchmark prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIZES = (10, 1_000, 10_000)
OPERATIONS = ("GetCallerIdentity", "GetUser", "ListUsers", "AssumeRole", "GetAccountAuthorizationDetails", "CreateUser")

# What is measured with some numbers of users only: the whole account in one answer is 1,000 users at most.
_SIZES_OF = {"AssumeRole": (1_000,), "GetAccountAuthorizationDetails": (1_000,)}

# A page of ListUsers holds 100 users: with ten, the answer itself is shorter.
_GROWS_FROM = {"ListUsers": 1_000}

_LEGEND = """
p50 and p99 in ms with all connections, `alone` the p50 in ms of a single connection; `CPU` in us of the server per request;
`moto/ours` moto's CPU to ours; `ours/bare` ours to a bare ASGI answer's; `grows` ours to ours with 10 users (a full
page of ListUsers: with 1,000); `gen.` the load generator's share of a core (near 100% it would be the bottleneck)."""


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


def sizes_of(operation: str) -> tuple[int, ...]:
    """Return with how many users an operation is measured."""
    return _SIZES_OF.get(operation, SIZES)


def render(results: Sequence[Result]) -> str:
    """Return the table: ours, moto's and the bare server's figures side by side."""
    found = {(result.server, result.operation, result.users): result for result in results}
    ceiling = found["bare", "GetCallerIdentity", 0]
    head = f"{'':31}{'users':>7} |{_titles()} |{'moto/s':>8}{'CPU':>9} |{'moto/ours':>10}{'ours/bare':>10}{'grows':>7}"
    lines = ["", head, "-" * len(head)]
    for operation in OPERATIONS:
        sizes = sizes_of(operation)
        fewest = found["crownkeep", operation, _GROWS_FROM.get(operation, sizes[0])]
        for users in sizes:
            ours, theirs = found["crownkeep", operation, users], found["moto", operation, users]
            grows = f"{ours.cpu / fewest.cpu:6.2f}x" if len(sizes) > 1 else ""
            ratios = f"{theirs.cpu / ours.cpu:9,.1f}x{ours.cpu / ceiling.cpu:9.1f}x{grows}"
            moto = f"{theirs.per_second:8,.0f}{theirs.cpu:9,.0f}"
            lines.append(f"{operation:31}{users:7,} |{_figures(ours)} |{moto} |{ratios}")
    lines.append(f"{'a bare answer':31}{'':7} |{_figures(ceiling)} |")
    return "\n".join([*lines, _LEGEND])


def _titles() -> str:
    return f"{'req/s':>7}{'p50':>8}{'p99':>8}{'alone':>7}{'CPU':>7}{'gen.':>6}"


def _figures(result: Result) -> str:
    return (
        f"{result.per_second:7,.0f}{result.p50:8.2f}{result.p99:8.2f}{result.p50_alone:7.2f}"
        f"{result.cpu:7,.0f}{result.generator:6.0%}"
    )
