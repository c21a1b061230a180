"""The log of slow requests: one line for each, with the id that the answer and the trail have."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fixtures.crown import Crown, Crowns

from crownkeep.gateway import asgi
from crownkeep.logs import SLOW, JsonFormatter


@pytest.fixture
def took(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let each request take as many seconds, as the server sees it."""

    def set_clock(seconds: float) -> None:
        times = itertools.count(0.0, seconds)
        monkeypatch.setattr(asgi, "clock", SimpleNamespace(monotonic=lambda: next(times)))

    return set_clock


def asked(crown: Crown, account: Any) -> str:
    """Make a user and return the request's id."""
    return str(account.client("iam").create_user(UserName="slow")["ResponseMetadata"]["RequestId"])


def test_a_slow_request_is_logged_with_its_id_and_nothing_of_what_was_asked(
    crowns: Crowns, took: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    crown = crowns.shared("sqlite")
    account = crown.account()
    took(1.5)

    with caplog.at_level(logging.WARNING, SLOW):
        request_id = asked(crown, account)

    [line] = [json.loads(JsonFormatter().format(each)) for each in caplog.records if each.name == SLOW]
    about = {name: line[name] for name in ("request_id", "service", "operation", "code", "milliseconds")}
    assert (request_id, "iam", "CreateUser", "", 1500) == tuple(about.values())
    assert f"slow: iam CreateUser took 1500 ms (request {request_id})" == line["message"]
    assert [request_id] == [each["requestID"] for each in account.records() if each["eventName"] == "CreateUser"][:1]


def test_a_quick_request_is_not_logged_and_zero_logs_none(
    crowns: Crowns, took: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    quick, silent = crowns.shared("sqlite"), crowns.fresh("sqlite", slow_request_milliseconds=0)
    accounts = quick.account(), silent.account()

    with caplog.at_level(logging.WARNING, SLOW):
        took(0.9)
        asked(quick, accounts[0])
        took(3_000)
        asked(silent, accounts[1])
    silent.close()

    assert [] == [each.message for each in caplog.records if each.name == SLOW]
