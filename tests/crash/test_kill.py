"""kill -9 in the middle of a stream of changes: what was acknowledged is there, with its record; the rest left no trace.

clients:  CreateUser -> 200    CreateUser -> 200    DeleteUser -> 403    CreateUser ...
server:   ------------------------------------------------------------------ kill -9 -- start -- look
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from shared.postgresql import Cluster
from tests.fixtures.clients import Credentials
from tests.fixtures.process import Process
from tests.fixtures.survivors import Acknowledged, hold_against_the_tree, records_of, request_id, users_of

ROUNDS = 6
NIGHTLY_ROUNDS = int(os.environ.get("CROWNKEEP_KILLS", "150"))
CLIENTS = 6


@dataclass
class Attempted:
    """What clients asked for at all."""

    names: set[str] = field(default_factory=set)


class Stream:
    """Clients that create, are refused and read, over and over, until the server no longer answers."""

    def __init__(self, server: Process, told: dict[str, Any], outsider: Credentials) -> None:
        self.acknowledged = Acknowledged()
        self.attempted = Attempted()
        self._server = server
        self._told = told
        self._outsider = outsider

    def run_until_killed(self, round_number: int, *, after: float) -> None:
        """Start the clients, kill the server after so many seconds, and wait until the last client has noticed."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._ask_until_dead, f"r{round_number}-c{number}") for number in range(CLIENTS)]
            killer = threading.Timer(after, self._server.kill)
            killer.start()
            for client in clients:
                client.result(timeout=60)
            killer.join()

    def _ask_until_dead(self, prefix: str) -> None:
        iam = self._server.client("iam", self._told["admin"])
        outside = self._server.client("iam", self._outsider)
        try:
            for number in range(100_000):
                name = f"{prefix}-{number}"
                self.attempted.names.add(name)
                answer = iam.create_user(UserName=name)
                self.acknowledged.created[request_id(answer)] = name
                if number % 3 == 0:
                    self.acknowledged.read.add(request_id(iam.get_user(UserName=name)))
                if number % 3 == 1:
                    self._be_refused(outside, name)
        except BotoCoreError:
            # The connection broke: the server is dead.
            return
        except ResponseParserError as broken:
            # It died between the head of an answer and its body.
            if not str(broken).endswith("b''"):
                raise

    def _be_refused(self, outside: Any, name: str) -> None:
        with pytest.raises(ClientError, match="AccessDenied") as refused:
            outside.delete_user(UserName=name)
        self.acknowledged.refused.add(request_id(refused.value.response))


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, serve: Callable[..., Process]) -> Iterator[Process]:
    """A server as a process, on each database; PostgreSQL syncs as it does for people."""
    if request.param == "sqlite":
        yield serve()
        return
    cluster = Cluster()
    yield serve(database=cluster.database())
    cluster.stop()


def test_kill_9_loses_no_acknowledged_change_and_no_acknowledged_record(server: Process):
    _survive(server, rounds=ROUNDS)


@pytest.mark.nightly
def test_kill_9_loses_nothing_however_often(server: Process):
    _survive(server, rounds=NIGHTLY_ROUNDS)


def _survive(server: Process, *, rounds: int) -> None:
    # A night's shards are to die at other moments each.
    chance = random.Random(4747 if rounds == ROUNDS else None)
    answer = server.account(admin_user="admin")
    # A night's clients create more users than an account may have by AWS's own quota.
    server.operator("PUT", f"/accounts/{answer['account_id']}/quotas/UsersQuota", {"value": 100_000})
    iam = server.client("iam", answer["admin"])
    iam.create_user(UserName="outsider")
    outsider = Credentials.of(iam.create_access_key(UserName="outsider")["AccessKey"])
    stream = Stream(server, answer, outsider)

    for number in range(rounds):
        stream.run_until_killed(number, after=chance.uniform(0.05, 0.6))
        server.start()

    hold_against_the_tree(server)
    users, records = users_of(server, answer), records_of(server, answer)
    acknowledged = stream.acknowledged
    assert len(acknowledged.created) > rounds
    assert set() == set(acknowledged.created.values()) - users, "acknowledged changes are lost"
    assert set() == set(acknowledged.created) - records.keys(), "records of acknowledged changes are lost"
    assert set() == acknowledged.refused - records.keys(), "records of refusals are lost"
    assert set() == acknowledged.read - records.keys(), "records of reads are lost"
    recorded = {name for name, error in records.values() if name and not error}
    assert recorded - {"outsider"} == users - {"admin", "outsider"}, "a change without its record, or a record without its change"
    assert users - {"admin", "outsider"} <= stream.attempted.names
