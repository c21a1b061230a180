"""A primary that dies under load: what was acknowledged is on the synchronous standby, with its record, and work goes on there.

clients:    CreateUser -> 200   CreateUser -> 503, 503, ...        CreateUser -> 200
primary:    ------------------- kill -9
standby:    ------------------------------------- promote --------------------------- look
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from shared.postgresql import Cluster
from sqlalchemy import make_url
from tests.fixtures.patience import until
from tests.fixtures.process import Process
from tests.fixtures.survivors import hold_against_the_tree, records_of, request_id, users_of

pytestmark = pytest.mark.nightly

CLIENTS = 4
SECONDS_BEFORE = float(os.environ.get("CROWNKEEP_FAILOVER_SECONDS", "5"))
"""How long changes go on before the primary is killed, and after every client has got through again."""
SECONDS_UNTIL_PROMOTED = 2.0
"""What a supervisor such as Patroni takes to notice; the clients' errors until then are the database's absence."""
_MOST_SECONDS_OF_ERRORS = 30


@dataclass
class Told:
    """What clients were told, and when (time.monotonic())."""

    created: dict[str, str] = field(default_factory=dict)
    """Names of users, by request id."""
    successes: list[tuple[float, int]] = field(default_factory=list)
    errors: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Figures:
    """What one fail-over looked like to clients; times are counted from the kill."""

    acknowledged_before: int
    acknowledged_after: int
    errors: dict[str, int]
    seconds_until_promoted: float
    seconds_until_the_first_success: float
    seconds_until_the_last_error: float


@dataclass(frozen=True)
class Pair:
    """A primary with its synchronous standby, and the URL of a database that names both."""

    primary: Cluster
    standby: Cluster
    url: str


@pytest.fixture
def replicated() -> Iterator[Pair]:
    """A primary that acknowledges no commit before its standby has it on disk."""
    primary = Cluster()
    url = make_url(primary.database())
    standby = Cluster(copy_of=primary)
    primary.run_sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
    primary.wait_for("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
    both = f"host={primary.directory},{standby.directory}&target_session_attrs=read-write"
    yield Pair(primary, standby, f"postgresql://{url.username}@/{url.database}?{both}")
    standby.stop()
    primary.stop()


def test_a_primary_that_dies_under_load_loses_nothing_that_was_acknowledged(
    serve: Callable[..., Process], replicated: Pair, tmp_path: Path
):
    one = serve(database=replicated.url)
    two = serve(database=replicated.url, data=one.data)
    account = one.account(admin_user="admin")
    one.client("iam", account["admin"]).create_user(UserName="outsider")
    answer, ends = Told(), threading.Event()

    def change(number: int) -> None:
        client = (one, two)[number % 2].client("iam", account["admin"], read_timeout=30)
        for count in range(1_000_000):
            if ends.is_set():
                return
            name = f"c{number}-{count}"
            try:
                answer.created[request_id(client.create_user(UserName=name))] = name
            except ClientError as refused:
                answer.errors.append((time.monotonic(), refused.response["Error"]["Code"]))
                time.sleep(0.05)
            except BotoCoreError as broken:
                answer.errors.append((time.monotonic(), type(broken).__name__))
                time.sleep(0.05)
            else:
                answer.successes.append((time.monotonic(), number))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(change, number) for number in range(CLIENTS)]
        time.sleep(SECONDS_BEFORE)
        killed = time.monotonic()
        replicated.primary.kill()
        time.sleep(SECONDS_UNTIL_PROMOTED)
        promoted = time.monotonic()
        replicated.standby.run_sql("SELECT pg_promote()")
        until(lambda: {number for when, number in answer.successes if when > promoted} == set(range(CLIENTS)))
        time.sleep(SECONDS_BEFORE)
        ends.set()
        for each in clients:
            each.result(timeout=60)

    figures = _figures(answer, killed, promoted)
    # Kept for docs/reliability.md: pytest shows it with -s.
    print(json.dumps(asdict(figures)))
    hold_against_the_tree(one)
    users, records = users_of(one, account), records_of(one, account)
    assert set() == set(answer.created.values()) - users, "acknowledged changes are lost"
    assert set() == answer.created.keys() - records.keys(), "records of acknowledged changes are lost"
    made = Counter(name for name, error in records.values() if name and not error)
    assert users - {"admin"} == made.keys(), "a change without its record, or a record without its change"
    assert {1} == set(made.values()), "a change that was recorded twice"
    assert users == users_of(two, account)
    assert _MOST_SECONDS_OF_ERRORS > figures.seconds_until_the_last_error, figures
    assert set(figures.errors) <= {"ServiceUnavailable", "InternalFailure", "EntityAlreadyExists"}


def _figures(told: Told, killed: float, promoted: float) -> Figures:
    after = sorted(when for when, _ in told.successes if when > promoted)
    return Figures(
        acknowledged_before=sum(when <= killed for when, _ in told.successes),
        acknowledged_after=len(after),
        errors=dict(Counter(code for _, code in told.errors)),
        seconds_until_promoted=round(promoted - killed, 2),
        seconds_until_the_first_success=round(after[0] - killed, 2),
        seconds_until_the_last_error=round(max((when for when, _ in told.errors), default=killed) - killed, 2),
    )
