"""kill -9 between record, outbox and delivery: every acknowledged use of root is told at least once, under one id."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from tests.alerts.listening import HttpReceiver, wait_until
from tests.fixtures.process import Process

ROUNDS = 2


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    started = HttpReceiver()
    yield started
    started.stop()


def test_kill_9_leaves_no_use_of_root_untold(serve: Callable[..., Process], receiver: HttpReceiver):
    server = serve(alert_networks="127.0.0.0/8")
    answer = server.account()
    add = ("alerts", "receiver", "add", "--account", answer["account_id"], "--rule", "root-access-key-changed", "--json")
    made = server.crownkeep(*add, "--webhook", receiver.url)
    assert json.loads(made.stdout)["secret"].startswith("whsec_")

    for number in range(ROUNDS):
        _use_until_killed(server, answer, after=0.3 + number * 0.2)
        server.start()

    acted = {each["eventID"] for each in server.records(answer["account_id"]) if each["eventName"] == "UpdateAccessKey"}
    wait_until(lambda: acted <= {event for event, _ in _heard(receiver)})
    heard = _heard(receiver)
    assert acted
    assert len(dict(heard)) == len(set(heard)), "one event was told under two ids"


def _use_until_killed(server: Process, told: dict[str, Any], *, after: float) -> None:
    iam = server.client("iam", told["root"])
    killer = threading.Timer(after, server.kill)
    killer.start()
    try:
        while True:
            iam.update_access_key(AccessKeyId=told["root"]["access_key_id"], Status="Active")
    except BotoCoreError:
        # The connection broke: the server is dead.
        killer.join()


def _heard(receiver: HttpReceiver) -> list[tuple[str, str]]:
    return [(json.loads(each.body)["data"]["event_id"], each.headers["webhook-id"]) for each in receiver.got]
